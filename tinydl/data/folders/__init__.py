"""What a person has: a folder of pictures, tables, texts or sounds, listed and read lazily.

`walk` lists the files safely, `recognise` tells from their names what they are, `looking` opens
each once and tells what is wrong (`scan` pictures, `contents` texts and sounds, `spreadsheets`
tables, `copies` and `alike` what is twice). `images` gives samples whose `pictures` are decoded
when asked for, by one rule (`form`).
"""
