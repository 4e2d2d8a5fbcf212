// QR codes (ISO/IEC 18004), drawn in the browser so that what they hold is sent nowhere: byte mode, error correction level L,
// versions 1 to 40, which is 2953 bytes.

const ECC_PER_BLOCK = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30];
const BLOCKS = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25];
const LEVEL_L = 1;
const MASKS = [
  (x, y) => (x + y) % 2, (x, y) => y % 2, (x) => x % 3, (x, y) => (x + y) % 3, (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2,
  (x, y) => ((x * y) % 2) + ((x * y) % 3), (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
];

// The modules of the code, row by row; true is dark. Throws a RangeError for a text that no code can hold.
export function qrMatrix(text) {
  const bytes = new TextEncoder().encode(text);
  let version = 1;
  while (version <= 40 && dataCodewords(version) * 8 < 4 + lengthBits(version) + bytes.length * 8) version += 1;
  if (version > 40) throw new RangeError("too long for a QR code");
  const code = new Code(version);
  code.drawPatterns();
  code.drawCodewords(interleave(version, codewords(version, bytes)));
  code.drawBestMask();
  return code.dark;
}

// The code as an SVG element with the quiet zone that readers need.
export function qrSvg(text) {
  const dark = qrMatrix(text);
  const quiet = 4;
  const size = dark.length + 2 * quiet;
  const path = dark.map((row, y) => row.map((on, x) => (on ? `M${x + quiet} ${y + quiet}h1v1h-1z` : "")).join("")).join("");
  const make = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const svg = make("svg", { viewBox: `0 0 ${size} ${size}`, "shape-rendering": "crispEdges", "aria-hidden": "true" });
  svg.append(make("rect", { width: size, height: size, fill: "#fff" }), make("path", { d: path, fill: "#000" }));
  return svg;
}

const lengthBits = (version) => (version < 10 ? 8 : 16);

function rawModules(version) {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const alignments = Math.floor(version / 7) + 2;
    modules -= (25 * alignments - 10) * alignments - 55;
    if (version >= 7) modules -= 36;
  }
  return modules;
}

function dataCodewords(version) {
  return Math.floor(rawModules(version) / 8) - ECC_PER_BLOCK[version - 1] * BLOCKS[version - 1];
}

function codewords(version, bytes) {
  const bits = [];
  const put = (value, length) => { for (let bit = length - 1; bit >= 0; bit -= 1) bits.push((value >>> bit) & 1); };
  put(4, 4);
  put(bytes.length, lengthBits(version));
  bytes.forEach((byte) => put(byte, 8));
  const capacity = dataCodewords(version) * 8;
  put(0, Math.min(4, capacity - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < capacity; pad ^= 0xec ^ 0x11) put(pad, 8);
  const words = new Uint8Array(bits.length / 8);
  bits.forEach((bit, at) => { words[at >>> 3] |= bit << (7 - (at & 7)); });
  return words;
}

// Cuts the data into blocks, gives each its error correction, and takes from them in turn.
function interleave(version, data) {
  const blocks = BLOCKS[version - 1];
  const correction = ECC_PER_BLOCK[version - 1];
  const raw = Math.floor(rawModules(version) / 8);
  const shortBlocks = blocks - (raw % blocks);
  const shortLength = Math.floor(raw / blocks) - correction;
  const divisor = generator(correction);
  const parts = [];
  for (let block = 0, at = 0; block < blocks; block += 1) {
    const length = shortLength + (block < shortBlocks ? 0 : 1);
    const part = data.slice(at, at + length);
    at += length;
    parts.push([part, remainder(part, divisor)]);
  }
  const result = [];
  for (const half of [0, 1]) {
    const longest = half === 0 ? shortLength + 1 : correction;
    for (let at = 0; at < longest; at += 1) for (const part of parts) if (at < part[half].length) result.push(part[half][at]);
  }
  return result;
}

// Multiplication in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1.
function multiply(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((b >>> bit) & 1) * a;
  }
  return product;
}

function generator(degree) {
  const result = new Uint8Array(degree);
  result[degree - 1] = 1;
  let root = 1;
  for (let step = 0; step < degree; step += 1) {
    for (let at = 0; at < degree; at += 1) result[at] = multiply(result[at], root) ^ (result[at + 1] ?? 0);
    root = multiply(root, 2);
  }
  return result;
}

function remainder(data, divisor) {
  const result = [...divisor].fill(0);
  for (const byte of data) {
    const factor = byte ^ result.shift();
    result.push(0);
    divisor.forEach((coefficient, at) => { result[at] ^= multiply(coefficient, factor); });
  }
  return result;
}

class Code {
  constructor(version) {
    this.version = version;
    this.size = version * 4 + 17;
    const grid = () => Array.from({ length: this.size }, () => new Array(this.size).fill(false));
    this.dark = grid();
    this.fixed = grid();
  }

  set(x, y, dark) {
    this.dark[y][x] = dark;
    this.fixed[y][x] = true;
  }

  drawPatterns() {
    const last = this.size - 1;
    for (let at = 0; at < this.size; at += 1) {
      this.set(6, at, at % 2 === 0);
      this.set(at, 6, at % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [last - 3, 3], [3, last - 3]]) this.drawSquare(x, y, 4);
    const places = this.alignments();
    for (const x of places) {
      for (const y of places) {
        const inFinder = (x === 6 && y === 6) || (x === 6 && y === last - 6) || (x === last - 6 && y === 6);
        if (!inFinder) this.drawSquare(x, y, 2);
      }
    }
    this.drawFormat(0);
    this.drawVersion();
  }

  // A finder (reach 4, with its light border) or an alignment pattern (reach 2) around a centre.
  drawSquare(centreX, centreY, reach) {
    for (let dy = -reach; dy <= reach; dy += 1) {
      for (let dx = -reach; dx <= reach; dx += 1) {
        const [x, y, distance] = [centreX + dx, centreY + dy, Math.max(Math.abs(dx), Math.abs(dy))];
        const inside = x >= 0 && x < this.size && y >= 0 && y < this.size;
        if (inside) this.set(x, y, reach === 4 ? distance !== 2 && distance !== 4 : distance !== 1);
      }
    }
  }

  alignments() {
    if (this.version === 1) return [];
    const count = Math.floor(this.version / 7) + 2;
    const step = Math.floor((this.version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
    const places = [6];
    for (let at = this.size - 7; places.length < count; at -= step) places.splice(1, 0, at);
    return places;
  }

  drawFormat(mask) {
    const data = (LEVEL_L << 3) | mask;
    let rest = data;
    for (let step = 0; step < 10; step += 1) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
    const bits = ((data << 10) | rest) ^ 0x5412;
    const bit = (at) => ((bits >>> at) & 1) === 1;
    for (let at = 0; at <= 5; at += 1) this.set(8, at, bit(at));
    this.set(8, 7, bit(6));
    this.set(8, 8, bit(7));
    this.set(7, 8, bit(8));
    for (let at = 9; at < 15; at += 1) this.set(14 - at, 8, bit(at));
    for (let at = 0; at < 8; at += 1) this.set(this.size - 1 - at, 8, bit(at));
    for (let at = 8; at < 15; at += 1) this.set(8, this.size - 15 + at, bit(at));
    this.set(8, this.size - 8, true);
  }

  drawVersion() {
    if (this.version < 7) return;
    let rest = this.version;
    for (let step = 0; step < 12; step += 1) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
    const bits = (this.version << 12) | rest;
    for (let at = 0; at < 18; at += 1) {
      const dark = ((bits >>> at) & 1) === 1;
      const [far, near] = [this.size - 11 + (at % 3), Math.floor(at / 3)];
      this.set(far, near, dark);
      this.set(near, far, dark);
    }
  }

  // Two columns at a time, from the lower right corner, up and down in turn.
  drawCodewords(words) {
    let at = 0;
    for (let right = this.size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      for (let step = 0; step < this.size; step += 1) {
        for (const x of [right, right - 1]) {
          const y = ((right + 1) & 2) === 0 ? this.size - 1 - step : step;
          if (this.fixed[y][x] || at >= words.length * 8) continue;
          this.dark[y][x] = ((words[at >>> 3] >>> (7 - (at & 7))) & 1) === 1;
          at += 1;
        }
      }
    }
  }

  drawBestMask() {
    let [best, lowest] = [0, Infinity];
    for (let mask = 0; mask < MASKS.length; mask += 1) {
      this.applyMask(mask);
      this.drawFormat(mask);
      const penalty = this.penalty();
      if (penalty < lowest) [best, lowest] = [mask, penalty];
      this.applyMask(mask);
    }
    this.applyMask(best);
    this.drawFormat(best);
  }

  applyMask(mask) {
    for (let y = 0; y < this.size; y += 1) for (let x = 0; x < this.size; x += 1) if (!this.fixed[y][x] && MASKS[mask](x, y) === 0) this.dark[y][x] = !this.dark[y][x];
  }

  // How hard the code is to read (section 7.8.3): runs, blocks, patterns that look like finders, and imbalance.
  penalty() {
    const { dark, size } = this;
    let [penalty, darkCount] = [0, 0];
    for (const line of [...dark, ...dark.map((_, x) => dark.map((row) => row[x]))]) {
      const text = line.map((on) => (on ? "1" : "0")).join("");
      for (const run of text.match(/0{5,}|1{5,}/g) ?? []) penalty += run.length - 2;
      for (let at = 0; at + 11 <= size; at += 1) {
        const part = text.slice(at, at + 11);
        if (part === "10111010000" || part === "00001011101") penalty += 40;
      }
    }
    for (let y = 0; y < size; y += 1) {
      for (let x = 0; x < size; x += 1) {
        if (dark[y][x]) darkCount += 1;
        const square = y + 1 < size && x + 1 < size && dark[y][x] === dark[y][x + 1] && dark[y][x] === dark[y + 1][x] && dark[y][x] === dark[y + 1][x + 1];
        if (square) penalty += 3;
      }
    }
    return penalty + Math.floor(Math.abs((darkCount * 20) / (size * size) - 10)) * 10;
  }
}
