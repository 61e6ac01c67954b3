"""Documents: self-contained pages, slides, notebooks and problem sets.

`page` puts sections on a page, `plots` draws data as SVG, `report` reports a fit.
"""
