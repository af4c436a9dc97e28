"""The browser of these tests shows pages, and notices what goes wrong in them."""

PAGE = """<!doctype html><title>a page</title><meta charset="utf-8">
<p id="told">before</p>{}<noscript>no scripts</noscript>"""


def test_a_page_is_shown_and_its_script_runs(pages, tmp_path):
    (tmp_path / "page.html").write_text(
        PAGE.format("<script>document.getElementById('told').textContent = innerWidth</script>")
    )
    page = pages.open((tmp_path / "page.html").as_uri(), width=360)
    assert (page.title(), page.locator("#told").inner_text()) == ("a page", "360")
    quiet = pages.open((tmp_path / "page.html").as_uri(), scripts=False)
    assert quiet.locator("#told").inner_text() == "before"
    assert quiet.locator("noscript").inner_text() == "no scripts"


def test_what_goes_wrong_is_written_down(pages, tmp_path):
    wrong = "<script>missing()</script><img src='nowhere.png'><img src='http://192.0.2.1/far.png'>"
    (tmp_path / "wrong.html").write_text(PAGE.format(wrong))
    policy = "<meta http-equiv='Content-Security-Policy' content=\"script-src 'none'\">"
    script = PAGE.format("<script>document.title = 'ran'</script>")
    (tmp_path / "refused.html").write_text(policy + script)
    pages.open((tmp_path / "wrong.html").as_uri())
    assert pages.open((tmp_path / "refused.html").as_uri()).title() == "a page"
    told, pages.problems[:] = "\n".join(pages.problems), []
    assert "script: missing is not defined" in told
    assert "failed: file://" in told and "nowhere.png" in told
    assert "left the machine: http://192.0.2.1/far.png" in told
    assert "Content Security Policy" in told
