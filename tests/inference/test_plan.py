"""The plan of memory: buffers that live at the same time never overlap."""

from hypothesis import given
from hypothesis import strategies as st

from tinydl.inference.plan import LINE, Buffer, least, plan


@st.composite
def buffers(draw):
    found = []
    for _ in range(draw(st.integers(0, 25))):
        first = draw(st.integers(0, 12))
        found.append(Buffer(draw(st.integers(0, 1000)), first, first + draw(st.integers(0, 6))))
    return found


@given(buffers())
def test_buffers_that_live_at_the_same_time_lie_apart(given_buffers):
    total = plan(given_buffers)
    for i, a in enumerate(given_buffers):
        assert a.offset % LINE == 0 and a.offset >= 0 and a.offset + a.nbytes <= total
        for b in given_buffers[:i]:
            if a.meets(b):
                assert a.offset + a.nbytes <= b.offset or b.offset + b.nbytes <= a.offset
    assert total >= least(given_buffers)


def test_a_chain_needs_two_places():
    chain = [Buffer(640, k, k + 1) for k in range(10)]
    assert plan(chain) == least(chain) == 2 * 640
