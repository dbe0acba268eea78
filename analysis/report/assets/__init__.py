"""What pages look like and how they act: a template, styles, scripts."""
