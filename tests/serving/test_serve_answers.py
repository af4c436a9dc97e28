"""What runs answer on the page of `tinydl serve`: every kind, and what each refuses."""

import json
from base64 import b64decode
from dataclasses import replace
from functools import cache
from io import BytesIO
from zlib import crc32

import numpy as np
import pytest
from closeness import assert_close
from fuzz.run_folders import imported_net

import tinydl as td
from tinydl.command.main import main
from tinydl.data import prepare_digit
from tinydl.data.formats.wav import encode_wav
from tinydl.errors import ConfigError, FormatError
from tinydl.nn import Module
from tinydl.own.foretell import foretold
from tinydl.recipes import RECIPES
from tinydl.runs.imported import opened
from tinydl.runs.importing import Wanted, write_imported
from tinydl.runs.run import begin, claim, train_into
from tinydl.serving import looks
from tinydl.serving.answers import DRAWN, MOST_PIXELS, flat
from tinydl.serving.kinds import asked
from tinydl.serving.texts import READ, WRITTEN
from tinydl.train import predict
from tinydl.zoo import shelf


@cache
def shown(name):
    """An entry of the shelf, as the page asks it."""
    return asked(opened(name))


def of(picture):
    """The bytes of a picture or a map as an array."""
    array = np.frombuffer(b64decode(picture["data"]), np.uint8)
    return array.reshape(picture["height"], picture["width"], picture["depth"])


def png(pixels):
    image = pytest.importorskip("PIL.Image")
    stream = BytesIO()
    image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def one():
    """A one, drawn."""
    ink = np.zeros((DRAWN, DRAWN), np.uint8)
    ink[40:240, 130:152] = 255
    return ink.tobytes()


# -- every run -------------------------------------------------------------------------------------

SHOWN = {
    "mobilenet-cifar": "classes", "tatoeba-swe": "answered",
    "char-lstm": "continued", "gpt-shakespeare": "continued",
    "dates": "answered", "hierarchical-digits": "classes",
    "lenet-mnist": "classes", "mlp-digits": "classes", "softmax-mnist": "classes",
    "resnet20-cifar": "classes", "spoken-digits": "spoken", "ssd-shapes": "boxes",
    "synthetic-digits": "classes", "vit-cifar": "classes",
}  # fmt: skip


@pytest.mark.parametrize("name", shelf.names())
def test_every_trained_model_is_asked_or_says_in_a_sentence_why_not(name):
    if name in SHOWN:
        made = shown(name)
        assert made.kind == SHOWN[name] and made.questions
        facts = json.loads(json.dumps(made.facts()))
        assert facts["name"] == name and set(facts["most"]) == set(made.questions)
        assert not made.model.training
    else:
        with pytest.raises(ConfigError, match=r"^serve: ") as refused:
            asked(opened(name))
        assert len(str(refused.value)) < 400 and name in str(refused.value).replace("/", "-")


def test_captions_are_not_asked_for_a_file_by_name():
    """Their program takes the typed text for a file's path."""
    with pytest.raises(ConfigError, match="describes pictures"):
        asked(opened("captions"))


# -- pictures --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lenet():
    return shown("lenet-mnist")


def test_a_drawn_digit(lenet):
    found = lenet.questions["drawing"].answer(one())
    assert found["told"].startswith("1 (") and found["bars"][0]["name"] == "1"
    assert len(found["bars"]) == 10
    assert abs(sum(bar["share"] for bar in found["bars"]) - 1) < 1e-6
    given = of(found["input"])[:, :, 0]
    assert given.shape == (28, 28) and np.flatnonzero(given.any(axis=1)).tolist() == [*range(4, 24)]
    kinds = [layer["kind"] for layer in found["layers"]]
    assert kinds[:3] == ["Conv2d", "Tanh", "AvgPool2d"] and "Flatten" not in kinds
    assert "MNIST" in found["notes"][0]
    json.dumps(found)


def test_the_attribution_is_the_gradient(lenet):
    found = lenet.questions["drawing"].answer(one())
    x = (of(found["input"]).astype(np.float32) / 255)[None]
    slope = np.abs(td.attribution.saliency(lenet.model, x, 1))[0, :, :, 0]
    drawn = of(found["attribution"])[:, :, 0].astype(float)
    expected = 255 * (slope - slope.min()) / (slope.max() - slope.min())
    assert np.abs(drawn - expected).max() < 3  # the input was rounded to bytes
    assert flat(np.zeros((3, 4, 5)), (4, 5)).shape == (4, 5)  # channels first
    assert flat(np.zeros((4, 5, 3)), (4, 5)).shape == flat(np.zeros(20), (4, 5)).shape == (4, 5)


def test_a_picture_file_is_that_of_predict(lenet, tmp_path, capsys):
    pixels = np.full((40, 30), 255, np.uint8)
    pixels[5:35, 13:17] = 0
    (tmp_path / "one.png").write_bytes(png(pixels))
    found = lenet.questions["picture"].answer(png(pixels))
    assert main(["predict", "lenet-mnist", str(tmp_path / "one.png"), "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    for bar in found["bars"]:
        assert abs(bar["share"] - said["probabilities"][bar["name"]]) < 1e-9


def test_pictures_that_are_none(lenet):
    pytest.importorskip("PIL.Image")
    picture = lenet.questions["picture"].answer
    large = bytearray(png(np.zeros((1, 1), np.uint8)))
    large[16:24] = (6_000).to_bytes(4, "big") + (5_000).to_bytes(4, "big")
    large[29:33] = crc32(large[12:29]).to_bytes(4, "big")
    for body in (b"", b"no picture", png(np.zeros((9, 9), np.uint8))[:-20], bytes(large)):
        with pytest.raises(FormatError, match=r"^read_image: picture is not a"):
            picture(body)
    with pytest.raises(FormatError, match=f"more than {MOST_PIXELS}"):
        picture(bytes(large))


def test_drawings_that_are_none(lenet):
    with pytest.raises(FormatError, match=f"is {DRAWN * DRAWN} bytes, got 3"):
        lenet.questions["drawing"].answer(b"abc")
    with pytest.raises(ConfigError, match="nothing is drawn"):
        lenet.questions["drawing"].answer(bytes(DRAWN * DRAWN))


def test_boxes_lie_in_the_picture():
    detector = shown("ssd-shapes")
    y, x = np.mgrid[:200, :300]
    image = np.full((200, 300, 3), 40, np.uint8)
    image[(y - 120) ** 2 + (x - 220) ** 2 < 50**2] = [60, 200, 90]
    found = detector.questions["picture"].answer(png(image))
    (box,) = found["boxes"]
    assert box["name"] == "disk" and found["told"] == "1 found"
    assert np.abs(np.array(box["box"]) - [170 / 300, 70 / 200, 270 / 300, 170 / 200]).max() < 0.05
    assert of(found["picture"]).shape == (200, 300, 3) and found["layers"]
    lost = of(found["attribution"])[..., 0].astype(float)
    rows, columns = lost.shape
    assert of(found["input"]).shape[:2] == lost.shape and found["attribution_told"].endswith("disk")
    assert abs(rows / columns - 200 / 300) < 0.02, "the border that was added is cut off"
    inside = lost[int(0.35 * rows) : int(0.85 * rows), int(0.57 * columns) : int(0.9 * columns)]
    assert inside.mean() > 5 * lost[:, : columns // 3].mean()
    nothing = detector.questions["picture"].answer(png(np.zeros((50, 50), np.uint8)))
    assert nothing["boxes"] == [] and nothing["told"].startswith("nothing found")
    assert "attribution" not in nothing


def test_a_net_of_another_library(tmp_path):
    """Channels first; its class names are markup, and come as they are."""
    names = [f"<img src=x onerror=alert({k})>" for k in range(10)]
    wanted = Wanted(labels=tuple(names))
    write_imported(tmp_path, imported_net(), "net.onnx", "onnx", wanted)
    made = asked(opened(str(tmp_path)))
    assert set(made.questions) == {"picture", "drawing"} and made.facts()["input"] == [8, 8, "grey"]
    found = made.questions["drawing"].answer(one())
    assert of(found["attribution"]).shape == (8, 8, 1) and found["why_no_attribution"] == ""
    (shares,) = made.run.probabilities([np.zeros((8, 8), np.uint8)])
    assert len(shares) == 10 and found["bars"][0]["name"] in names
    rows = [(layer["kind"], layer["shape"]) for layer in found["layers"]]
    assert rows == [("Conv", [8, 8, 2]), ("Relu", [8, 8, 2]), ("Gemm", [10])]
    x = made.run.of_pixels(prepare_digit(np.frombuffer(one(), np.uint8).reshape(DRAWN, DRAWN), 8))
    logits = predict(made.model, x[None])
    assert abs(found["layers"][2]["high"] - float(logits.max())) < 1e-5


# -- sounds ----------------------------------------------------------------------------------------


def test_a_spoken_word(data_folder, monkeypatch):
    monkeypatch.setenv("TINYDL_DATA", str(data_folder))
    heard = td.data.fsdd()
    sound = shown("spoken-digits").questions["sound"].answer
    places = np.flatnonzero(heard.takes == 0)[::6]
    right = 0
    for k in places:
        found = sound(encode_wav(heard.waves[k] / 32_768, 8_000))
        right += found["bars"][0]["name"] == str(heard.digits[k])
    assert len(places) == 10 and right >= 9
    assert of(found["input"]).shape == (64, 32, 1) == of(found["attribution"]).shape
    twice = sound(encode_wav(np.repeat(heard.waves[places[-1]], 2) / 32_768, 16_000))
    assert twice["bars"][0]["name"] == found["bars"][0]["name"]


def test_sounds_that_are_none():
    sound = shown("spoken-digits").questions["sound"].answer
    for seconds in (0, 61):
        with pytest.raises(FormatError, match=rf"lasts {seconds}.00 s"):
            sound(encode_wav(np.zeros(8_000 * seconds), 8_000))
    with pytest.raises(FormatError, match="does not begin like a WAVE file"):
        sound(b"RIFFxxxxJUNK")


# -- texts -----------------------------------------------------------------------------------------


def test_a_text_goes_on():
    made = shown("char-lstm")
    found = made.questions["text"].answer(b"To be, or not to be")
    assert len(found["text"]) == WRITTEN and found["before"] == "To be, or not to be"
    again = made.questions["text"].answer(b"To be, or not to be")
    assert again["text"] != found["text"] and again["bars"] == found["bars"]
    assert [t["text"] for t in found["tokens"]] == list("To be, or not to be")
    assert max(t["share"] for t in found["tokens"]) == 1
    assert found["layers"][0]["shape"] == [19, 256]
    with td.no_grad():
        ids = td.tensor(made.tokenizer.encode("To be, or not to be")[None])
        logits = made.model(ids).numpy()[0, -1].astype(np.float64)
    p = np.exp(logits - logits.max())
    assert abs(found["bars"][0]["share"] - (p / p.sum()).max()) < 1e-5
    long = made.questions["text"].answer(b"so it was\n" * 10_000)
    assert len(long["before"]) == READ and "the last 400 are read" in long["notes"][0]


def test_texts_that_are_none():
    text = shown("char-lstm").questions["text"].answer
    with pytest.raises(FormatError, match="no UTF-8"):
        text(b"\xff")
    with pytest.raises(FormatError, match="is empty"):
        text(b" \n")


def test_a_date_is_answered_with_where_it_looked():
    found = shown("dates").questions["text"].answer(b"the 3rd of May, 1979")
    assert found["told"] == "1979-05-03"
    looked = found["attention"]
    assert of(looked["map"]).shape == (len(looked["words"]), len(looked["keys"]), 1)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A run that judges texts, trained for a moment."""
    recipe = RECIPES["imdb-bilstm"].replaced(
        dataset="drawn_reviews",
        architecture={"words": 60, "embedding_dim": 8, "hidden_size": 8, "dropout": 0.0},
        input_shape=(12,), words=60, samples=(), epochs=1,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("judged") / "run"
    train_into(claim(folder, "small"), begin(recipe))
    run = opened(folder)
    run.recipe = replace(recipe, program=recipe.program.restored(run.config["settings"]))
    return asked(run)


def test_a_text_is_judged_word_by_word(judged):
    words = [w for w in judged.tokenizer.vocabulary if w.isalpha()][:5]
    found = judged.questions["text"].answer(" ".join([*words, "unheardof"]).encode())
    assert {bar["name"] for bar in found["bars"]} == {"negative", "positive"}
    assert [t["text"] for t in found["tokens"]] == [*words, "unheardof"]
    assert "does not know: unheardof" in found["notes"][0]
    long = judged.questions["text"].answer(" ".join(words * 4).encode())
    assert len(long["tokens"]) == 12 and "the last 12 are read" in long["notes"][0]
    assert {layer["kind"] for layer in long["layers"]} >= {"Embedding", "Linear"}


def test_the_words_share_is_the_derivative(judged):
    """<d logit / d e, e> against a difference: each word's embedding scaled by 1 + h."""
    words = [w for w in judged.tokenizer.vocabulary if w.isalpha()][:5]
    found = judged.questions["text"].answer(" ".join(words).encode())
    shares = np.array([token["share"] for token in found["tokens"]])
    model, h = judged.model, 1e-2
    x = td.tensor([[0] * 7 + judged.tokenizer.encode(" ".join(words)).tolist()])
    slopes = []
    with td.no_grad():
        e = model.embedding(x).numpy()
        for k in range(7, 12):
            ends = []
            for sign in (1, -1):
                moved = e.copy()
                moved[0, k] *= 1 + sign * h
                ends.append(model.linear(model.lstm(td.tensor(moved))).item())
            slopes.append(abs(ends[0] - ends[1]) / (2 * h))
    assert_close(shares, np.array(slopes) / max(slopes), 0.02)


# -- what is drawn ---------------------------------------------------------------------------------


def test_maps_are_small_and_on_one_scale():
    values = np.zeros((1, 200, 100, 40))
    values[0, :, :, 7] = np.linspace(-1, 3, 200)[:, None]
    values[0, 0, 0, 9] = np.nan
    found = looks.maps_of(values)
    assert found["shape"] == [200, 100, 40] and (found["low"], found["high"]) == (-1, 3)
    assert len(found["maps"]) == looks.CHANNELS and 7 in found["channels"]
    seven = of(found["maps"][found["channels"].index(7)])[:, :, 0]
    assert seven.shape == (64, 64) and seven[0].max() < 5 and seven[-1].min() > 250
    assert looks.maps_of(np.zeros((1, 1, 1, 30)))["shape"] == [30]
    assert of(looks.maps_of(np.arange(600.0)[None])["maps"][0]).shape == (1, 256, 1)
    for odd in (np.zeros((2, 3)), np.zeros((1, 0)), np.zeros(3), np.zeros((1, 2, 3, 4, 5))):
        assert looks.maps_of(odd) is None


def test_a_picture_that_is_sent_back_is_small():
    image = np.zeros((1_000, 2_000, 3), np.uint8)
    image[:, 1_000:] = [10, 20, 30]
    small = of(looks.preview(image))
    assert small.shape == (240, 480, 3) and small[100, 400].tolist() == [10, 20, 30]
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    assert_close(of(looks.preview(grey))[:, :, 0], grey, 0, atol=0)


class Odd(Module):
    """A model without a derivative that could be asked."""

    def forward(self, x):
        raise ConfigError("odd: it does not want to")


def test_what_cannot_be_shown_says_why():
    found, why = looks.or_reason(lambda: td.attribution.saliency(Odd(), np.zeros((1, 2)), 0))
    assert found is None and "does not want to" in why
    assert (
        looks.word_saliency(td.nn.Linear(2, 1), lambda: td.zeros((1,), requires_grad=True)) is None
    )


# -- a recipe of one's own -------------------------------------------------------------------------

OWN = """
from dataclasses import replace
from tinydl.own.foretell import foretold
from tinydl.recipes import RECIPES
MINE = replace(RECIPES["synthetic-digits"], name="mine", epochs=1)
"""


def test_a_run_of_another_recipe_needs_its_file_unchanged(tmp_path, capsys):
    recipe, folder = tmp_path / "mine.py", tmp_path / "run"
    recipe.write_text(OWN)
    assert main(["train", str(recipe), "--out", str(folder), "--quiet"]) == 0
    assert main(["serve", str(folder)]) == 2
    assert "give it with --recipe FILE" in capsys.readouterr().err
    assert asked(opened(folder, recipe)).facts()["name"] == "mine"
    recipe.write_text(OWN + "# changed")
    assert main(["serve", str(folder), "--recipe", str(recipe)]) == 2
    assert "another SHA-256" in capsys.readouterr().err


# -- runs on data of one's own ---------------------------------------------------------------------


def test_a_run_on_ones_own_sounds_hears_any_rate(tmp_path):
    rng = np.random.default_rng(0)
    for name, pitch in (("low", 300), ("high", 1_500)):
        (tmp_path / "sounds" / name).mkdir(parents=True)
        for k in range(8):
            tone = np.sin(np.arange(4_000) * 2 * np.pi * pitch / 16_000 + k)
            sound = encode_wav(0.5 * tone + 0.05 * rng.normal(size=4_000), 16_000)
            (tmp_path / "sounds" / name / f"{k}.wav").write_bytes(sound)
    folder = tmp_path / "run"
    words = ["train", "spoken-digits", "--on", str(tmp_path / "sounds"), "--epochs", "1"]
    assert main([*words, "--out", str(folder), "--quiet"]) == 0
    run = opened(folder)
    body = (tmp_path / "sounds" / "low" / "0.wav").read_bytes()
    made = asked(run)
    found = made.questions["sound"].answer(body)
    assert made.kind == "spoken" and made.facts()["classes"] == 2
    (said,) = foretold(run.recipe, made.model, [str(tmp_path / "sounds" / "low" / "0.wav")], "x")
    for bar in found["bars"]:
        assert abs(bar["share"] - said["classes"][bar["name"]]) < 1e-5
    other = encode_wav(np.sin(np.arange(2_000) * 2 * np.pi * 300 / 8_000), 8_000)
    assert len(made.questions["sound"].answer(other)["bars"]) == 2


def test_a_table_is_not_asked(tmp_path, capsys):
    rows = [f"{k / 10},{k % 3},{'even' if k % 2 else 'odd'}" for k in range(30)]
    (tmp_path / "table.csv").write_text("\n".join(["a,b,kind", *rows]))
    words = ["train", "iris-softmax", "--on", str(tmp_path / "table.csv"), "--target", "kind"]
    assert main([*words, "--epochs", "1", "--out", str(tmp_path / "run"), "--quiet"]) == 0
    with pytest.raises(ConfigError, match="is a run on a table"):
        asked(opened(tmp_path / "run"))
