"""A digit drawn on a page's canvas with the mouse."""

#: Places of a canvas 280 wide and high.
SEVEN = [(70, 60), (210, 60), (190, 120), (150, 180), (120, 240)]


def stroke(page, points):
    """One line along the points; the button stays down."""
    box = page.locator("#canvas").bounding_box()
    places = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280)
              for x, y in points]  # fmt: skip
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
