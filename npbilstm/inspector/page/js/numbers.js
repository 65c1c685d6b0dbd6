// Numbers: out of base64, and onto the screen so that what is shown adds up.

const data = JSON.parse(document.getElementById("trace").textContent);

function bytes(base64) {
  const text = atob(base64);
  const found = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) found[k] = text.charCodeAt(k);
  return found.buffer; // little-endian, as every browser's machine is
}

/** {shape, values}: value = float64, float32, or int16 / 32767 * the scale of its row. */
function decode({ shape, float64, float32, int16, scale }) {
  if (float64 !== undefined) return { shape, values: new Float64Array(bytes(float64)) };
  if (float32 !== undefined) return { shape, values: new Float32Array(bytes(float32)) };
  const whole = new Int16Array(bytes(int16));
  const scales = new Float32Array(bytes(scale));
  const width = shape[shape.length - 1];
  const values = new Float32Array(whole.length);
  for (let k = 0; k < whole.length; k++) values[k] = (whole[k] / 32767) * scales[Math.floor(k / width)];
  return { shape, values };
}

const decoded = new Map();

/** The array of that name of a part of the data, decoded when it is first asked for; undefined where there is none. */
function stored(part, name) {
  const key = `${part} ${name}`;
  if (!decoded.has(key)) decoded.set(key, data[part]?.[name] && decode(data[part][name]));
  return decoded.get(key);
}

// A shown number is a count of quanta, and a quantum a power of ten. One quantum serves a whole sum: the fourth digit
// of its largest number. The rules are those of rounding.py, to which the text of trace.explain keeps.

/** The quantum's power of ten where this is the largest number: that of its fourth digit, once it is rounded. */
const powerOf = (largest) => (largest === 0 ? 0 : Number(largest.toExponential(3).split("e")[1]) - 3);

const inQuanta = (value, power) => (power < 0 ? value * 10 ** -power : value / 10 ** power);

/** The value in quanta, rounded; halves away from 0. */
const counted = (value, power) => Math.sign(value) * Math.floor(Math.abs(inQuanta(value, power)) + 0.5);

/** A count of quanta: fixed point where the sum's largest number is at least 0.0001 and below 100000. */
function write(count, power) {
  if (count === 0) return "0";
  if (-7 <= power && power <= 1) return (count / 10 ** -power).toFixed(Math.max(0, -power));
  const tens = power + 3;
  return `${(count / 1000).toFixed(3)}e${tens < 0 ? "-" : "+"}${String(Math.abs(tens)).padStart(2, "0")}`;
}

/** A number alone; within a thousandth below 1 with more digits, so that of 1 - f and 1 - g^2 three are left. */
function written(value) {
  if (!isFinite(value)) return String(value);
  const distance = 1 - Math.abs(value);
  if (distance > 0 && distance < 0.001) return value.toFixed(Math.min(-powerOf(distance) - 1, 12));
  const power = powerOf(value);
  return write(counted(value, power), power);
}

/**
 * Each part in quanta, so that they sum to `total` quanta exactly: each is rounded down, and what is missing goes to
 * those that lost most.
 */
function shareOut(parts, total, power) {
  const exact = parts.map((part) => inQuanta(part, power));
  const counts = exact.map(Math.floor);
  const missing = total - counts.reduce((sum, count) => sum + count, 0);
  const each = Math.floor(missing / counts.length);
  const more = missing - each * counts.length;
  const byLoss = exact.map((_, k) => k).sort((a, b) => exact[b] - counts[b] - (exact[a] - counts[a]));
  byLoss.forEach((k, place) => (counts[k] += each + (place < more ? 1 : 0)));
  return counts;
}
