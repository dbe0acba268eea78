"""A run as a moving picture: what is shown of it, and the SVG that shows it."""
