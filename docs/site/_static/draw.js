// The page "Draw a digit": a drawing becomes one of MNIST's pictures, a model of the shelf runs on
// tinydl's C kernels (kernels.js), and what every layer gave is shown (view.js, which is the page of
// `tinydl serve`).
"use strict";

(() => {
  const SIDE = 280; // pixels of the drawing area
  const [PICTURE, BOX] = [28, 20]; // of MNIST: the picture, and the box that its ink fills
  const CHANNELS = 16; // shown of a layer

  const part = (id) => document.getElementById(id);

  // -- a drawing as MNIST's pictures were made: tinydl.data.prepare_digit ---------------------------

  // Weights (made, size) of a triangle filter, widened when shrinking: tinydl/data/prepare.py.
  function resizing(size, made) {
    const ratio = size / made;
    return Array.from({ length: made }, (_, i) => {
      const centre = (i + 0.5) * ratio - 0.5;
      const row = Array.from({ length: size }, (_, k) =>
        Math.max(0, 1 - Math.abs(k - centre) / Math.max(1, ratio)));
      const sum = row.reduce((a, b) => a + b, 0);
      return row.map((weight) => weight / sum);
    });
  }

  const product = (a, b) => a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
  const transposed = (a) => a[0].map((_, j) => a.map((row) => row[j]));
  // To the nearest integer, halves to the even one, as Python rounds.
  const rounded = (x) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

  // Where a box with this ink in its rows begins, so that its centre of mass is in the middle.
  function begin(mass) {
    const sum = mass.reduce((a, b) => a + b, 0);
    const centre = mass.reduce((all, m, k) => all + m * (k + 0.5), 0) / sum;
    return Math.min(Math.max(Math.ceil(PICTURE / 2 - centre), 0), PICTURE - mass.length);
  }

  // SIDE x SIDE bytes, 255 ink, as PICTURE x PICTURE numbers of 0 ... 1; null where nothing is drawn.
  function prepared(ink, side) {
    const rows = Array.from({ length: side }, (_, k) => Array.from(ink.subarray(k * side, (k + 1) * side), (v) => v / 255));
    const inked = (lines) => lines.flatMap((line, k) => (line.some((v) => v > 0) ? [k] : []));
    const [down, across] = [inked(rows), inked(transposed(rows))];
    if (!down.length) return null;
    const cut = rows.slice(down[0], down.at(-1) + 1).map((row) => row.slice(across[0], across.at(-1) + 1));
    const longer = Math.max(cut.length, cut[0].length);
    const [height, width] = [cut.length, cut[0].length].map((n) => Math.max(1, rounded((n * BOX) / longer)));
    const small = product(product(resizing(cut.length, height), cut), transposed(resizing(cut[0].length, width)));
    const mass = (lines) => lines.map((line) => line.reduce((a, b) => a + b, 0));
    const [top, left] = [begin(mass(small)), begin(mass(transposed(small)))];
    const picture = new Float32Array(PICTURE * PICTURE);
    small.forEach((row, i) => row.forEach((value, j) => {
      picture[(top + i) * PICTURE + left + j] = Math.min(1, Math.max(0, value));
    }));
    return picture;
  }

  // -- what is shown -------------------------------------------------------------------------------

  // Numbers as bytes of a picture, `low` dark and `high` bright.
  function bytes(values, low, high) {
    return Uint8Array.from(values, (v) => (high > low ? Math.round((255 * (v - low)) / (high - low)) : 0));
  }

  // An output of a layer, (H, W, C) or (D,), as maps on one scale.
  function maps(step, values) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const flat = step.shape.length === 1 || step.shape[0] * step.shape[1] === 1;
    const [height, width, depth] = flat ? [1, values.length, 1] : step.shape;
    const channels = Array.from({ length: Math.min(CHANNELS, depth) }, (_, c) => c);
    return {
      name: step.name, kind: step.kind, shape: flat ? [width] : step.shape, low, high, channels,
      maps: channels.map((c) => ({
        height, width, depth: 1,
        data: bytes(values.filter((_, k) => k % depth === c), low, high),
      })),
    };
  }

  function show(net, outputs, picture) {
    const classes = Array.from(outputs.at(-1), (share, k) => ({ name: String(k), share }));
    const best = classes.reduce((a, b) => (b.share > a.share ? b : a));
    part("told").textContent = `${best.name} (${(100 * best.share).toFixed(1)} %)`;
    const figures = document.createElement("div");
    figures.className = "figures";
    const given = { height: PICTURE, width: PICTURE, depth: 1, data: bytes(picture, 0, 1) };
    figures.append(window.tinydl.figure(given, "What the network was given: 28 x 28", "sample"));
    part("shown").replaceChildren(window.tinydl.bars(classes), figures);
    const rows = net.steps.flatMap((step, k) => (step.kernel && k < net.steps.length - 1 ? [maps(step, outputs[k])] : []));
    part("layers").replaceChildren(window.tinydl.layers(rows));
    part("inside").hidden = false;
  }

  function tellSpeed(net) {
    const seconds = window.tinydl.timed(() => net.pass(), 0.05);
    const rate = (2 * net.products) / seconds / 1e9;
    part("speed").textContent =
      `${net.products.toLocaleString("en")} multiply-adds in ${(1e6 * seconds).toFixed(0)} microseconds on one core: ` +
      `${rate.toFixed(1)} GFLOP/s.`;
  }

  // -- the page ------------------------------------------------------------------------------------

  // What the tests ask too: {net, prepared}.
  window.tinydl.ready = (async () => {
    const kernels = await window.tinydl.Kernels.ready();
    return { net: new window.tinydl.Net(kernels, window.tinydlNet), prepared };
  })();

  window.tinydl.ready.then(({ net }) => {
    const canvas = part("canvas");
    let [asked, down] = [false, false];
    const answer = () => {
      asked = false;
      const picture = prepared(area.bytes(), SIDE);
      if (picture) show(net, net.outputs(picture), picture);
    };
    // While a stroke is drawn, once for each picture of the screen; at its end with the speed.
    const soon = () => {
      if (!asked) requestAnimationFrame(answer);
      asked = true;
    };
    const ended = () => {
      answer();
      setTimeout(() => tellSpeed(net), 0);
    };
    const area = window.tinydl.drawing(canvas, SIDE, ended, (text) => {
      part("pen").textContent = text;
    });
    canvas.addEventListener("pointerdown", () => { down = true; });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { down = false; });
    canvas.addEventListener("pointermove", () => down && soon());
    part("clear").addEventListener("click", () => {
      area.clear();
      part("told").textContent = "Nothing is drawn.";
      part("shown").replaceChildren();
      part("inside").hidden = true;
    });
    part("drawn").hidden = false;
    part("told").textContent = "Draw a digit.";
  }).catch((error) => {
    part("told").textContent = `This browser cannot run the kernels: ${error.message}`;
  });
})();
