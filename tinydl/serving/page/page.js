// The page of `tinydl serve`. `window.tinydl` holds what other pages use too: a drawing area
// (`drawing`), bars of shares (`bars`), pictures and maps (`paint`, `layers`). Text is set as
// text everywhere, never as markup: class names and answers may come from strangers.
"use strict";

(() => {
  // -- small things ------------------------------------------------------------------------------

  function made(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const number = (value) => Number(value.toPrecision(3)).toString();

  // -- pictures and maps -------------------------------------------------------------------------

  // Dark blue, green, yellow: brighter means more, also for eyes that tell no red from green.
  const STOPS = [[38, 20, 72], [49, 84, 140], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

  function viridis(value) {
    const place = (value / 255) * (STOPS.length - 1);
    const k = Math.min(Math.floor(place), STOPS.length - 2);
    return STOPS[k].map((c, i) => Math.round(c + (place - k) * (STOPS[k + 1][i] - c)));
  }

  const SCALE = Array.from({ length: 256 }, (_, value) => viridis(value));

  // Draws {height, width, depth, data}: grey or colour as it is, or a map in the colours above. The
  // data are bytes, or their base 64.
  function paint(canvas, picture, asMap) {
    const { data } = picture;
    const bytes = typeof data === "string" ? Uint8Array.from(atob(data), (c) => c.charCodeAt(0)) : data;
    canvas.width = picture.width;
    canvas.height = picture.height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(picture.width, picture.height);
    for (let k = 0; k < picture.width * picture.height; k += 1) {
      const first = bytes[k * picture.depth];
      let colour = [first, first, first];
      if (picture.depth === 3) colour = [first, bytes[3 * k + 1], bytes[3 * k + 2]];
      else if (asMap) colour = SCALE[first];
      image.data.set([...colour, 255], 4 * k);
    }
    context.putImageData(image, 0, 0);
    return context;
  }

  function figure(picture, caption, className, asMap) {
    const box = made("figure", className);
    const canvas = box.appendChild(made("canvas"));
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", caption);
    paint(canvas, picture, asMap);
    box.append(made("figcaption", "", caption));
    return box;
  }

  const COLOURS = ["#0b5fff", "#c2410c", "#15803d", "#a21caf", "#b91c1c", "#0e7490"];

  function boxed(picture, boxes) {
    const box = figure(picture, "What was found", "wide");
    const canvas = box.querySelector("canvas");
    const enlarged = Math.max(1, Math.ceil(480 / picture.width));
    const copy = made("canvas");
    paint(copy, picture);
    canvas.width = picture.width * enlarged;
    canvas.height = picture.height * enlarged;
    const context = canvas.getContext("2d");
    context.drawImage(copy, 0, 0, canvas.width, canvas.height);
    context.font = "bold 14px sans-serif";
    context.textBaseline = "top";
    const names = [...new Set(boxes.map((one) => one.name))];
    [...boxes].reverse().forEach((one) => {
      const [x0, y0, x1, y1] = one.box;
      const [left, top] = [x0 * canvas.width, y0 * canvas.height];
      const label = `${one.name} ${percent(one.share)}`;
      context.strokeStyle = context.fillStyle = COLOURS[names.indexOf(one.name) % COLOURS.length];
      context.lineWidth = 3;
      context.strokeRect(left, top, (x1 - x0) * canvas.width, (y1 - y0) * canvas.height);
      const width = context.measureText(label).width + 8;
      const [x, y] = [Math.max(0, Math.min(left, canvas.width - width)), Math.max(0, top - 18)];
      context.fillRect(x, y, width, 18);
      context.fillStyle = "#ffffff";
      context.fillText(label, x + 4, y + 2);
    });
    return box;
  }

  // -- bars --------------------------------------------------------------------------------------

  // A list of {name, share}, share of 0 ... 1, as bars with their percent.
  function bars(rows) {
    const list = made("ul", "bars");
    for (const row of rows) {
      const item = list.appendChild(made("li"));
      const bar = item.appendChild(made("div", "bar"));
      bar.style.width = `${100 * Math.max(0, Math.min(1, row.share))}%`;
      const label = item.appendChild(made("div", "label"));
      const name = label.appendChild(made("span", "name", row.name));
      name.title = row.name;
      label.append(made("span", "share", percent(row.share)));
    }
    return list;
  }

  // -- layers ------------------------------------------------------------------------------------

  // What layers gave: [{name, kind, shape, low, high, channels, maps}].
  function layers(rows) {
    const box = document.createDocumentFragment();
    for (const row of rows) {
      if (!row.maps) continue;
      const part = box.appendChild(made("div", "layer"));
      part.append(made("h3", "", `${row.name} (${row.kind})`));
      const all = row.shape.length === 3 ? row.shape[2] : 1;
      const some = all > row.maps.length ? `; ${row.maps.length} of ${all} channels` : "";
      const told = `${row.shape.join(" x ")}, ${number(row.low)} to ${number(row.high)}${some}`;
      part.append(made("p", "help", told));
      const maps = part.appendChild(made("div", "maps"));
      row.maps.forEach((map, k) => {
        const canvas = maps.appendChild(made("canvas", map.height === 1 ? "row" : ""));
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", `${row.name}, channel ${row.channels[k]}`);
        paint(canvas, map, true);
      });
    }
    return box;
  }

  // -- drawing -----------------------------------------------------------------------------------

  // Lets one draw on a canvas of side x side pixels: {bytes(), clear()}; `changed` is called when
  // a stroke has ended, `told` with what the pen does for who works by keyboard.
  function drawing(canvas, side, changed, told) {
    canvas.width = canvas.height = side;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const pen = { x: side / 2, y: side / 2, down: false };
    let last = null;

    function clear() {
      context.fillStyle = "#ffffff";
      context.fillRect(0, 0, side, side);
      last = null;
    }

    function line(from, to) {
      context.strokeStyle = context.fillStyle = "#000000";
      context.lineWidth = side / 13;
      context.lineCap = "round";
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
      context.stroke();
      context.beginPath(); // a line to where it began has no length, and would leave no dot
      context.arc(to.x, to.y, side / 26, 0, 2 * Math.PI);
      context.fill();
    }

    function at(event) {
      const box = canvas.getBoundingClientRect();
      const scale = side / box.width;
      return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
    }

    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      last = at(event);
      line(last, last);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const here = at(event);
      line(last, here);
      last = here;
    });
    const ended = () => {
      if (last) changed();
      last = null;
    };
    canvas.addEventListener("pointerup", ended);
    canvas.addEventListener("pointercancel", ended);

    const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    canvas.addEventListener("keydown", (event) => {
      const move = MOVES[event.key];
      if (move) {
        const from = { x: pen.x, y: pen.y };
        pen.x = Math.max(0, Math.min(side, pen.x + (move[0] * side) / 28));
        pen.y = Math.max(0, Math.min(side, pen.y + (move[1] * side) / 28));
        if (pen.down) line(from, pen);
      } else if (event.key === " ") {
        pen.down = !pen.down;
        if (pen.down) line(pen, pen);
        else changed();
      } else if (event.key === "Delete" || event.key === "Backspace") {
        clear();
      } else {
        return;
      }
      event.preventDefault();
      const place = [pen.x, pen.y].map((v) => Math.round((100 * v) / side));
      told(`The pen is ${pen.down ? "down" : "up"} at ${place[0]} % across, ${place[1]} % down.`);
    });

    // 0 paper ... 255 ink, by rows.
    function bytes() {
      const pixels = context.getImageData(0, 0, side, side).data;
      return Uint8Array.from({ length: side * side }, (_, k) => 255 - pixels[4 * k]);
    }

    clear();
    return { bytes, clear };
  }

  window.tinydl = { bars, drawing, figure, layers, paint };
  if (document.body.dataset.tinydl !== "serve") return;

  // -- the page ----------------------------------------------------------------------------------

  const part = (id) => document.getElementById(id);
  const BYTES = { "Content-Type": "application/octet-stream" };
  let facts = null;
  let asking = false;
  let next = null;
  let cleared = 0;

  function say(text, wrong) {
    part("told").textContent = text;
    part("told").classList.toggle("error", Boolean(wrong));
  }

  function empty(text) {
    say(text);
    part("shown").replaceChildren();
    part("layers").replaceChildren();
    part("inside").hidden = true;
  }

  // One question at a time; of those that wait, only the last is asked.
  async function ask(name, body) {
    const size = body.size ?? body.length;
    if (size > facts.most[name]) {
      empty("");
      say(`At most ${facts.most[name].toLocaleString("en")} bytes are read, these are ${size.toLocaleString("en")}.`, true);
      return;
    }
    next = { name, body };
    if (asking) return;
    asking = true;
    while (next) {
      const now = next;
      const before = cleared;
      next = null;
      document.body.setAttribute("aria-busy", "true");
      try {
        const reply = await fetch(now.name, { method: "POST", headers: BYTES, body: now.body });
        const found = await reply.json();
        if (cleared !== before) continue; // of what is no longer there
        if (reply.ok) show(found);
        else {
          empty("");
          say(found.error, true);
        }
      } catch {
        empty("");
        say("No answer: is `tinydl serve` still running?", true);
      } finally {
        document.body.removeAttribute("aria-busy");
      }
    }
    asking = false;
  }

  function show(found) {
    say(found.told);
    const shown = part("shown");
    shown.replaceChildren();
    if (found.text !== undefined) {
      const written = shown.appendChild(made("p", "written", found.before));
      written.append(made("b", "", found.text));
    }
    if (found.bars) shown.append(bars(found.bars));
    for (const note of found.notes ?? []) shown.append(made("p", "help", note));
    const figures = made("div", "figures");
    if (found.boxes) figures.append(boxed(found.picture, found.boxes));
    if (found.input) figures.append(figure(found.input, given(found.input), "sample", facts.kind === "spoken"));
    if (found.attribution) {
      const told = found.attribution_told ?? "What the answer depends on: |d score / d input|";
      figures.append(figure(found.attribution, told, "sample", true));
    }
    if (found.attention) figures.append(attention(found.attention));
    if (figures.children.length) shown.append(figures);
    if (found.tokens && found.tokens.length) shown.append(...tokens(found.tokens));
    if (found.why_no_attribution) shown.append(made("p", "help", `No attribution: ${found.why_no_attribution}`));
    shown.append(made("p", "help", `answered in ${Math.round(1000 * found.seconds)} ms`));
    part("layers").replaceChildren(layers(found.layers));
    part("inside").hidden = !found.layers.length;
  }

  const given = (picture) =>
    `What the network was given: ${picture.height} x ${picture.width}${facts.kind === "spoken" ? ", time downwards, pitch across" : ""}`;

  // Tokens, the more of the answer falls to one the stronger its background.
  function tokens(rows) {
    const line = made("p", "tokens");
    const between = facts.kind === "judged" ? " " : "";
    for (const row of rows) {
      const span = line.appendChild(made("span", "", row.text));
      span.style.backgroundColor = `rgba(var(--mark), ${row.share.toFixed(3)})`;
      span.title = `${Math.round(100 * row.share)} % of the largest`;
      line.append(between);
    }
    return [made("p", "help", "What the answer depends on, to first order:"), line];
  }

  function attention(found) {
    const box = figure(found.map, "Where each written sign looked: one row for each", "wide", true);
    box.append(made("p", "help", `rows: ${found.words.join(" ")}`));
    box.append(made("p", "help", `columns: ${found.keys.join(" ")}`));
    return box;
  }

  // -- what may be asked -------------------------------------------------------------------------

  const WORDS = {
    judged: ["A text to judge", ""],
    continued: ["A text to go on with", "To be, or not to be"],
    answered: ["A text to answer", ""],
  };
  const FILES = {
    picture: ["A picture", "image/*", "PNG, JPEG, WebP, GIF, BMP, TIFF or PPM; or drop it anywhere on this page."],
    sound: ["A sound", ".wav,audio/wav", "WAV, 16 bits, one channel, at most 60 seconds; or drop it anywhere on this page."],
  };

  function begin() {
    document.title = `${facts.name} - tinydl serve`;
    part("name").textContent = facts.name;
    const takes = facts.input ? `; takes ${facts.input.join(" x ").replace(/ x (\w+)$/, ", $1")}` : "";
    part("title").textContent = `${facts.title}; ${facts.parameters.toLocaleString("en")} parameters${takes}`;
    if (facts.most.drawing) beginDrawing();
    const file = Object.keys(FILES).find((name) => facts.most[name]);
    if (file) beginFiles(file);
    if (facts.most.text) beginText();
  }

  function beginDrawing() {
    part("drawing").hidden = false;
    const tell = (text) => {
      part("pen").textContent = text;
    };
    const area = drawing(part("canvas"), facts.drawn, () => ask("drawing", area.bytes()), tell);
    part("clear").addEventListener("click", () => {
      area.clear();
      next = null;
      cleared += 1;
      empty("Nothing is drawn.");
    });
  }

  function beginFiles(name) {
    const [label, accept, help] = FILES[name];
    part("filing").hidden = false;
    part("file-label").textContent = label;
    part("file-help").textContent = help;
    part("file").accept = accept;
    part("file").addEventListener("change", () => {
      if (part("file").files.length) ask(name, part("file").files[0]);
    });
    const over = (event) => {
      event.preventDefault();
      document.body.classList.toggle("over", event.type === "dragover");
    };
    for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, over);
    document.addEventListener("drop", (event) => {
      if (event.dataTransfer.files.length) ask(name, event.dataTransfer.files[0]);
    });
  }

  function beginText() {
    const [label, first] = WORDS[facts.kind];
    part("typing").hidden = false;
    part("text-label").textContent = label;
    part("text").value = first;
    const send = () => ask("text", new TextEncoder().encode(part("text").value));
    part("typing").addEventListener("submit", (event) => {
      event.preventDefault();
      send();
    });
    part("text").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
    });
  }

  fetch("run")
    .then((reply) => reply.json())
    .then((found) => {
      facts = found;
      begin();
    })
    .catch(() => say("No answer: is `tinydl serve` still running?", true));
})();
