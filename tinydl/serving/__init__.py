"""A page on this machine that asks a trained run: `tinydl serve RUN`.

`server.py` speaks HTTP and refuses what it should, `worker.py` lets one prediction run at a time;
`answers.py` and `texts.py` say what a run makes of a picture, a drawing, a sound, a text,
`looks.py` what of that is drawn. `page/` is the page: `page.js` and `page.css` also serve other
pages that show drawings, bars and activations.
"""
