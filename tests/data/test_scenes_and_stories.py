"""Captioned scenes, stories, clips: what is said of them is what is in them."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator
from tinydl.data import KINDS, CaptionedScenes, Stories, captioned_scenes, moving_digits, stories
from tinydl.data.synthetic.captions import COLOURS, PAIRS
from tinydl.data.synthetic.clips import DIRECTIONS
from tinydl.errors import ConfigError


def things_of(caption):
    return [tuple(part.split()[1:]) for part in caption.split(" and ")]


def test_a_caption_says_what_is_in_its_boxes():
    made = captioned_scenes(200, Generator(0))
    assert isinstance(made, CaptionedScenes) and made.x.shape == (200, 32, 32, 3)
    for x, caption, boxes in zip(made.x, made.captions, made.boxes, strict=True):
        assert boxes[0, 2] <= 16 <= boxes[1, 0] + 1e-4, "the left one is named first"
        for (size, colour, kind), (x0, y0, x1, y1) in zip(things_of(caption), boxes, strict=True):
            assert kind in KINDS and (x1 - x0 > 12) == (size == "large")
            middle = x[int((y0 + y1) / 2), int((x0 + x1) / 2)]
            assert_close(middle, np.array(COLOURS[colour], np.float32), 0.2)


def test_pairs_of_things_are_held_out_and_their_parts_are_not():
    parts = [captioned_scenes(n, Generator(1), n < 2_000).captions for n in (6_000, 1_500)]
    seen, held = ({tuple(things_of(c)) for c in captions} for captions in parts)
    assert not seen & held and len(seen | held) == len(PAIRS) == 900 and len(held) == 180
    for side in (0, 1):
        assert {p[side] for p in held} <= {p[side] for p in seen}
    with pytest.raises(ConfigError, match="n must be an integer >= 1"):
        captioned_scenes(0, Generator(0))


def answered(sentences, question):
    """Where the thing is, read sentence by sentence."""
    thing, at, holder, lies = question.split()[-1], {}, None, None
    for text in sentences:
        person, verb, *_, what = text.split()
        if verb == "went":
            at[person] = what
        elif what == thing:
            holder, lies = (person, None) if verb == "took" else (None, at[person])
    return lies if holder is None else at[holder]


def test_a_story_answers_its_question():
    made = stories(500, Generator(0))
    assert isinstance(made, Stories) and made.x.shape == (500, 11, 5) and len(made) == 500
    for k in range(500):
        *sentences, question = made.told(k)
        assert 4 <= len(sentences) <= 10 and question.startswith("where is the ")
        assert answered(sentences, question) == made.classes[made.y[k]]
    assert np.bincount(made.y, minlength=6).min() > 40
    assert np.array_equal(stories(500, Generator(0)).x, made.x)
    with pytest.raises(ConfigError, match="sentences must be an integer >= 4"):
        stories(1, Generator(0), sentences=3)


def test_a_clip_moves_in_its_direction_and_a_frame_tells_nothing():
    made = moving_digits(120, Generator(0))
    assert made.x.shape == (120, 6, 16, 16, 1) and made.classes == tuple(DIRECTIONS)
    for clip, y in zip(made.x, made.y, strict=True):
        step = np.array(list(DIRECTIONS.values())[y])
        fits = [
            all(np.array_equal(np.roll(clip[t], s * step, (0, 1)), clip[t + 1]) for t in range(5))
            for s in (1, 2)
        ]
        assert any(fits)
    with pytest.raises(ConfigError, match="frames must be an integer >= 2"):
        moving_digits(1, Generator(0), frames=1)
