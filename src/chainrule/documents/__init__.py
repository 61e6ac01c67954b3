"""Documents: self-contained pages, slides, notebooks and problem sets.

`page` puts sections on a page, `plots` draws data as SVG, `fit_section` reports a fit.
"""
