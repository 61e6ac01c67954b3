// Imports modules and calls their functions; one request and one answer per line, in JSON.
//
// An array is { shape, base64 }: its numbers in 64 bits, little-endian.
import { createInterface } from "node:readline";

console.log = () => {};

function decoded(value) {
  if (value === null || typeof value !== "object") return value;
  if (typeof value.base64 === "string") {
    const bytes = Uint8Array.from(Buffer.from(value.base64, "base64"));
    return { shape: value.shape, data: new Float64Array(bytes.buffer) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, decoded(part)]));
}

function encoded(value) {
  if (typeof value === "number") return { number: String(value) };
  if (Array.isArray(value)) return { list: value.map(encoded) };
  if (value === null || typeof value !== "object") return { other: value ?? null };
  if (value.data instanceof Float64Array) {
    const bytes = Buffer.from(value.data.buffer, value.data.byteOffset, value.data.byteLength);
    return { shape: value.shape, base64: bytes.toString("base64") };
  }
  return {
    object: Object.fromEntries(Object.entries(value).map(([k, part]) => [k, encoded(part)])),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { source, name, args } = JSON.parse(line);
  let answer;
  try {
    const module = await import(`data:text/javascript,${encodeURIComponent(source)}`);
    answer = { value: encoded(module[name](...args.map(decoded))) };
  } catch (error) {
    answer = { error: `${error.name}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
