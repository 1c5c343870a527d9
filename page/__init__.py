"""The page: its data, its front end, the one HTML file and the live server; may import report and below."""
