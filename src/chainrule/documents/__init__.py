"""Reports: one self-contained HTML page that opens from the file system, with no network.

`page` puts sections on a page, `plots` draws data as SVG, `fit_section` tells the story of a fit.
"""
