// What both node and a page do with the kernels' exports.
const TYPES = ['F32', 'F16', 'Q8_0', 'Q6_K', 'Q4_K', 'Q4_0'];

const hex = (value) => '0x' + BigInt.asUintN(64, value).toString(16).padStart(16, '0');

function medianMs(run, atLeastMs) {
  run();
  run();
  const times = [];
  const start = performance.now();
  while (times.length < 7 || performance.now() - start < atLeastMs) {
    const begin = performance.now();
    run();
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1];
}

export function measure(kernels, print, rounds, filter) {
  const [own, scalar, expected] = [kernels.checksum(), kernels.scalar_checksum(), kernels.expected_checksum()];
  print(`checksum ${hex(own)}, scalar twin ${hex(scalar)}, expected ${hex(expected)}: ${own === scalar && own === expected ? 'equal' : 'DIFFERENT'}`);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, name] of TYPES.entries()) {
      if (filter ? !name.match(filter) : index < 2) continue;
      const begin = performance.now();
      const mb = kernels.prepare(index) / 1e6;
      const packing = performance.now() - begin;
      const sum = medianMs(() => kernels.sum(), 500);
      const decode = medianMs(() => kernels.step(1, 1), 1000);
      const five = medianMs(() => kernels.step(5, 5), 1000);
      const prefill = medianMs(() => kernels.step(64, 1), 1500);
      print(
        `${name} ${mb.toFixed(1)} MB: sum ${(mb / sum).toFixed(1)} GB/s · decode ${(mb / decode).toFixed(1)} GB/s = ${((100 * sum) / decode).toFixed(0)} %, ` +
          `${(1e3 / decode).toFixed(0)} tok/s · five ${(5e3 / five).toFixed(0)} tok/s (×${((5 * decode) / five).toFixed(2)}) · prefill 64 ${(64e3 / prefill).toFixed(0)} tok/s · packing ${packing.toFixed(0)} ms`,
      );
    }
  }
}
