// tinydl's C kernels, compiled to WebAssembly (docs/site/wasm.py), called as the Cython modules
// call them; networks that run on them; and how fast they are. `window.tinydlKernels` holds the
// module in base 64 and the numbers of the elementwise operations.
"use strict";

(() => {
  const here = document.currentScript.src;
  const BYTES = 4; // of a number, and of a size or an address: memory has 32 bits of address here

  // Loads a script that lies beside this one: pages work from files too, where fetch does not.
  function script(name) {
    return new Promise((resolve, reject) => {
      const node = document.createElement("script");
      node.src = new URL(name, here).href;
      node.onload = resolve;
      node.onerror = () => reject(new Error(`${name} is not there`));
      document.head.append(node);
    });
  }

  // The memory and the functions of the module.
  class Kernels {
    // The compiled module, ready to be called; rejected where the browser has no WebAssembly SIMD.
    static async ready() {
      if (!window.tinydlKernels) await script("kernels_wasm.js");
      const bytes = Uint8Array.from(atob(window.tinydlKernels.module), (c) => c.charCodeAt(0));
      return new Kernels((await WebAssembly.instantiate(bytes, {})).instance.exports);
    }

    constructor(functions) {
      this.c = functions;
    }

    // Memory for so many numbers.
    space(count) {
      const place = this.c.malloc(BYTES * Math.max(1, count));
      if (!place) throw new Error(`no memory for ${count} numbers`);
      return place;
    }

    // Memory with these numbers in it, of float32 or (sizes, addresses) of int32.
    numbers(values) {
      const place = this.space(values.length);
      new Float32Array(this.c.memory.buffer, place, values.length).set(values);
      return place;
    }

    sizes(values) {
      const place = this.space(values.length);
      new Int32Array(this.c.memory.buffer, place, values.length).set(values);
      return place;
    }

    read(place, count) {
      return new Float32Array(this.c.memory.buffer, place, count).slice();
    }

    write(place, values) {
      new Float32Array(this.c.memory.buffer, place, values.length).set(values);
    }

    // Each returns a function that calls the kernel: its operands stay where they are. The
    // arguments are those of the headers in csrc/; the last of a call is the number of threads.

    matmul(a, b, bias, c, [M, N, K]) {
      return () => this.whole(this.c.matmul_f32_wasm(a, b, bias, c, M, N, K, K, 1, N, 1, 0, 0, 0, 0, 0, 0, 1));
    }

    conv2d(x, weight, bias, y, sizes) {
      const place = this.sizes(sizes);
      return () => this.whole(this.c.conv2d_f32_wasm(x, weight, bias, y, place, 0, 0, 1));
    }

    max_pool2d(x, y, sizes) {
      const place = this.sizes(sizes);
      return () => this.c.max_pool2d_f32_wasm(x, y, 0, place, 1);
    }

    avg_pool2d(x, y, sizes) {
      const place = this.sizes(sizes);
      return () => this.whole(this.c.avg_pool2d_f32_wasm(x, y, place, 1));
    }

    elementwise(name, x, y, count) {
      const number = window.tinydlKernels.operations[name];
      const [operands, steps] = [this.sizes([x]), this.sizes([this.sizes([BYTES])])];
      const shape = this.sizes([count]);
      return () => this.c.elementwise_f32_wasm(number, 1, operands, steps, y, 1, shape, 1);
    }

    softmax(x, y, [N, C]) {
      return () => this.c.softmax_f32_wasm(x, y, N, C, 1);
    }

    whole(result) {
      if (result !== 0) throw new Error("a kernel had no memory");
    }
  }

  // A network as draw_page.py writes it: {input, steps, weights}, a step for each layer.
  class Net {
    constructor(kernels, told) {
      this.kernels = kernels;
      this.steps = told.steps;
      const bytes = Uint8Array.from(atob(told.weights), (c) => c.charCodeAt(0));
      const weights = kernels.numbers(new Float32Array(bytes.buffer));
      this.input = kernels.space(size(told.input));
      let x = this.input;
      this.made = told.steps.map((step) => {
        const at = (offset) => (offset === null ? 0 : weights + BYTES * offset);
        const count = size(step.shape);
        if (!step.kernel) return { y: x, run: () => {} }; // the same numbers in another shape
        const y = kernels.space(count);
        const run = {
          conv2d: () => kernels.conv2d(x, at(step.weight), at(step.bias), y, step.sizes),
          matmul: () => kernels.matmul(x, at(step.weight), at(step.bias), y, step.sizes),
          max_pool2d: () => kernels.max_pool2d(x, y, step.sizes),
          avg_pool2d: () => kernels.avg_pool2d(x, y, step.sizes),
          softmax: () => kernels.softmax(x, y, step.sizes),
        }[step.kernel] ?? (() => kernels.elementwise(step.kernel, x, y, count));
        const one = { y, run: run() };
        x = y;
        return one;
      });
    }

    // One forward pass of what was last written to the input.
    pass() {
      for (const one of this.made) one.run();
    }

    // What every layer gives for an input.
    outputs(values) {
      this.kernels.write(this.input, values);
      this.pass();
      return this.made.map((one, k) => this.kernels.read(one.y, size(this.steps[k].shape)));
    }

    get products() {
      return this.steps.reduce((sum, step) => sum + step.products, 0);
    }
  }

  const size = (shape) => shape.reduce((a, b) => a * b, 1);

  // Seconds of one call, from as many as take `least` seconds together.
  function timed(run, least) {
    run();
    for (let times = 1; ; times *= 2) {
      const start = performance.now();
      for (let k = 0; k < times; k += 1) run();
      const seconds = (performance.now() - start) / 1000;
      if (seconds >= least) return seconds / times;
    }
  }

  // -- the kernels alone, in the sizes of the ladders (benchmarks/ladder.py) -----------------------

  const random = (count) => Float32Array.from({ length: count }, () => Math.random() - 0.5);

  const CASES = {
    matmul: (k) => {
      const [a, b] = [k.numbers(random(384 * 384)), k.numbers(random(384 * 384))];
      const run = k.matmul(a, b, 0, k.space(384 * 384), [384, 384, 384]);
      return { name: "matmul 384x384x384", run, operations: 2 * 384 ** 3 };
    },
    loops: () => {
      const [a, b, c] = [random(384 * 384), random(384 * 384), new Float32Array(384 * 384)];
      const run = () => {
        for (let i = 0; i < 384; i += 1) {
          for (let j = 0; j < 384; j += 1) {
            let sum = 0;
            for (let n = 0; n < 384; n += 1) sum += a[i * 384 + n] * b[n * 384 + j];
            c[i * 384 + j] = sum;
          }
        }
      };
      return { name: "the same product, three loops of JavaScript", run, operations: 2 * 384 ** 3 };
    },
    conv: (k) => {
      const [x, weight] = [k.numbers(random(4 * 28 * 28 * 64)), k.numbers(random(9 * 64 * 64))];
      const sizes = [4, 28, 28, 64, 3, 3, 64, 28, 28, 1, 1, 1, 1, 1, 1, 1];
      const run = k.conv2d(x, weight, 0, k.space(4 * 28 * 28 * 64), sizes);
      return { name: "conv 3x3 N4 28x28x64", run, operations: 2 * 4 * 28 * 28 * 9 * 64 * 64 };
    },
    pool: (k) => {
      const x = k.numbers(random(8 * 56 * 56 * 64));
      const y = k.space(8 * 28 * 28 * 64);
      const run = k.max_pool2d(x, y, [8, 56, 56, 64, 2, 2, 28, 28, 2, 2, 0, 0, 0]);
      return { name: "max pool 2x2 N8 56x56x64", run, operations: 8 * 28 * 28 * 64 * 4 };
    },
    elementwise: (k) => {
      const count = 65536;
      const run = k.elementwise("tanh", k.numbers(random(count)), k.space(count), count);
      return { name: "tanh of 65,536 numbers", run, elements: count };
    },
    softmax: (k) => {
      const run = k.softmax(k.numbers(random(256 * 1000)), k.space(256 * 1000), [256, 1000]);
      return { name: "softmax of 256 rows of 1000", run, elements: 256 * 1000 };
    },
  };

  // How fast one of `CASES` is here, in words.
  async function measured(name) {
    const one = CASES[name](await Kernels.ready());
    const seconds = timed(one.run, 0.2);
    const rate = one.operations
      ? `${(one.operations / seconds / 1e9).toFixed(1)} GFLOP/s`
      : `${(one.elements / seconds / 1e6).toFixed(0)} million numbers a second`;
    return { name: one.name, seconds, rate };
  }

  window.tinydl = { ...window.tinydl, Kernels, Net, timed, measured };

  // -- the buttons of the kernel pages -------------------------------------------------------------

  for (const button of document.querySelectorAll("button[data-measure]")) {
    const told = button.parentElement.querySelector("output");
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      told.textContent = "measuring ...";
      await new Promise((resolve) => setTimeout(resolve, 30)); // so that it is seen
      try {
        const found = await measured(button.dataset.measure);
        told.textContent = `${found.name}: ${(1000 * found.seconds).toPrecision(3)} ms, ${found.rate}`;
      } catch (error) {
        told.textContent = `This browser could not: ${error.message}`;
      }
      button.disabled = false;
    });
  }
})();
