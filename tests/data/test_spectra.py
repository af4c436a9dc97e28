"""Sound: frames, mel bands, mu-law against their formulas; WAVE files against Python's module."""

import io
import wave

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator
from tinydl.data import MovedSpectra, frames, log_mel, mel_filters, mu_law, mu_law_inverse, resample
from tinydl.data.formats.wav import decode_wav, encode_wav, write_wav
from tinydl.errors import ConfigError, DTypeError, FormatError

RNG = np.random.default_rng(0)


def test_frames_overlap_and_the_last_is_filled():
    assert frames(np.arange(1, 8), 4, 2).tolist() == [[1, 2, 3, 4], [3, 4, 5, 6], [5, 6, 7, 0]]
    assert frames(np.arange(1, 3), 4, 2).tolist() == [[1, 2, 0, 0]]
    with pytest.raises(ConfigError, match="hop >= 1"):
        frames(np.ones(5), 4, 0)


def test_the_bands_are_triangles_of_even_mels():
    filters = mel_filters(20, 400, 8_000)
    assert filters.shape == (201, 20) and filters.min() == 0 and filters.max() <= 1
    middle = filters.argmax(axis=0) * 20.0  # Hz
    steps = np.diff(2595 * np.log10(1 + middle / 700))
    assert abs(steps[5:] / steps[5:].mean() - 1).max() < 0.25
    inside = (np.arange(201) * 20.0 > middle[0]) & (np.arange(201) * 20.0 < middle[-1])
    assert_close(filters[inside].sum(axis=1), np.ones(inside.sum()), 1e-9)


def test_a_tone_is_in_its_band():
    t = np.arange(4_000) / 8_000
    found = log_mel(np.sin(2 * np.pi * 1_000 * t), bands=32)
    assert found.shape == (49, 32) and found.dtype == np.float32
    expected = mel_filters(32, 200, 8_000)[round(1_000 / 40)].argmax()
    assert (found[1:-1].argmax(axis=1) == expected).all()
    assert_close(log_mel(np.zeros(500)), np.full((5, 32), np.log(1e-6), np.float32), 1e-6)
    whole = np.array([0, 16_384] * 200, np.int16)
    assert_close(log_mel(whole), log_mel(whole / 32_768), 1e-6)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 44_100, 4_000])
def test_a_tone_keeps_its_pitch_and_its_loudness(rate):
    seconds = np.arange(rate) / rate
    tone = (10_000 * np.sin(2 * np.pi * 440 * seconds)).astype(np.int16)
    again = resample(tone, rate, 8_000)
    assert len(again) == 8_000 and again.dtype == np.int16
    assert np.abs(np.fft.rfft(again)).argmax() == 440
    assert abs(float(again.astype(float).std()) / 7_071 - 1) < 0.01
    high = (10_000 * np.sin(2 * np.pi * 5_000 * seconds)).astype(np.int16)
    if rate > 10_000:  # it has no place below 4 kHz, and must not come back as another tone
        assert np.abs(resample(high, rate, 8_000)).max() < 300


def test_what_is_not_resampled():
    wave = np.arange(5, dtype=np.int16)
    assert np.array_equal(resample(wave, 7, 7), wave)
    with pytest.raises(DTypeError, match="int16"):
        resample(wave / 9, 8_000, 16_000)
    for given in ((wave, 0, 5), (wave, 5, -1), (wave[:0], 5, 5), (wave[None], 5, 6)):
        with pytest.raises(ConfigError, match="rates >= 1"):
            resample(*given)
    with pytest.raises(ConfigError, match="5,000,000,000 samples"):
        resample(wave, 1, 10**9)


def test_mu_law_is_fine_where_sound_is_quiet():
    levels = np.arange(256)
    assert np.array_equal(mu_law(mu_law_inverse(levels)), levels)
    x = RNG.uniform(-1, 1, 1_000)
    formula = np.sign(x) * np.log(1 + 255 * abs(x)) / np.log(256)
    assert np.array_equal(mu_law(x), np.rint((formula + 1) / 2 * 255))
    steps = np.diff(mu_law_inverse(levels))
    assert steps[127] < steps[0] / 100
    assert mu_law(np.array([-5.0, 5.0])).tolist() == [0, 255]
    with pytest.raises(DTypeError, match="floats"):
        mu_law(np.array([1, 2]))
    with pytest.raises(ConfigError, match=r"0 \.\.\. 255"):
        mu_law_inverse(np.array([256]))


def test_a_wave_file_is_what_pythons_reader_says(tmp_path):
    x = np.sin(np.arange(500) / 9)
    write_wav(tmp_path / "a.wav", x, 8_000)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8_000)
        content = file.readframes(500)
    rate, found = decode_wav((tmp_path / "a.wav").read_bytes(), "a")
    assert rate == 8_000 and found.tobytes() == content
    assert_close(found / 32_767, x, 1e-4)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda b: b"RIFX" + b[4:], "does not begin"),
        (lambda b: b[:-1], "ends within"),
        (lambda b: b[:12], "no sound"),
        (lambda b: b[:20] + b"\3" + b[21:], "kind 3"),
        (lambda b: b[:12] + b[36:], "rate 0"),
    ],
)
def test_other_sounds_are_refused(damage, message):
    with pytest.raises(FormatError, match=message):
        decode_wav(damage(encode_wav(np.zeros(8), 8_000)), "x.wav")


def test_two_channels_are_refused():
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(b"\0" * 16)
    with pytest.raises(FormatError, match="2 channels"):
        decode_wav(stream.getvalue(), "x.wav")


def test_moved_spectra_are_the_same_elsewhere():
    x = np.ones((40, 12, 9, 1), np.float32) * np.arange(1, 10, dtype=np.float32)[:, None]
    moved, y = MovedSpectra(3, 2, 0)((x, np.arange(40)), Generator(0))
    assert moved.shape == x.shape and np.array_equal(y, np.arange(40))
    seen = set()
    for row in moved[..., 0]:
        t, m = np.nonzero(row)
        assert (np.diff(np.unique(t)) == 1).all() and len(np.unique(row[t, m])) >= 7
        seen.add((t.min() - (11 - t.max()), row[t.min(), m.min()] - 1 - m.min()))
    assert len(seen) > 15, "moves differ"
    (still,) = MovedSpectra(0, 0, 0)((x,), Generator(0))
    assert np.array_equal(still, x)
    (hidden,) = MovedSpectra(0, 0, 4)((x,), Generator(0))
    assert 0 < (hidden == 0).mean() < 0.8
