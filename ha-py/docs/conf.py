"""Sphinx's settings."""

project = "pyha"
author = "the authors of ha-core"
release = "0.1.0"
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary"]
html_theme = "furo"
html_title = "pyha"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "undoc-members": True, "show-inheritance": False}
nitpicky = False
