"""The site: README, tutorials, guides and the API on pages that can be searched, made by `python -m tutorials.site`."""
