"""What the HTML pages share: their style, their drawings, and how they are put together."""
