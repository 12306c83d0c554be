"""What draws pages: HTML, SVG, a whole document in two languages."""
