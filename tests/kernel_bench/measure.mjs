// What both node and a page do with the kernels' exports.
const TYPES = ['F32_', 'F16_', 'Q8_0', 'Q6_K', 'Q4_K', 'Q4_0'];

const hex = (value) => '0x' + BigInt.asUintN(64, value).toString(16).padStart(16, '0');

// The median, or with `best` the least: on a machine with other work the least is what repeats.
let best = false;

function timeMs(run, atLeastMs) {
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
  return times[best ? 0 : times.length >> 1];
}

// `builds`: pairs of a name and the exports of one wasm file.
export async function measure(builds, print, { rounds, only, least }) {
  best = least;
  let different = false;
  for (const [build, kernels] of builds) {
    const [own, scalar, expected] = [kernels.checksum(), kernels.scalar_checksum(), kernels.expected_checksum()];
    const equal = own === scalar && own === expected ? 'equal' : 'DIFFERENT';
    different ||= equal !== 'equal';
    await print(`${build}: checksum ${hex(own)}, scalar twin ${hex(scalar)}, expected ${hex(expected)}: ${equal}`);
  }
  for (const [index, name] of TYPES.entries()) {
    if (index < 2 || !name.match(only)) continue;
    const sizes = builds.map(([, kernels]) => {
      const begin = performance.now();
      const mb = kernels.prepare(index) / 1e6;
      return [mb, performance.now() - begin];
    });
    for (let round = 0; round < Number(rounds); round += 1) {
      for (const [i, [build, kernels]] of builds.entries()) {
        const [mb, packing] = sizes[i];
        const sum = timeMs(() => kernels.sum(), 300);
        const decode = timeMs(() => kernels.step(1, 1), 700);
        const small = timeMs(() => { for (let k = 0; k < 1000; k += 1) kernels.one(1, 1); }, 100) / 1e3;
        const five = timeMs(() => kernels.step(5, 5), 700);
        const prefill = timeMs(() => kernels.step(64, 1), 1000);
        await print(
          `${name} ${build} ${mb.toFixed(0)} MB: sum ${(mb / sum).toFixed(1)} GB/s · decode ${(mb / decode).toFixed(1)} GB/s = ${((100 * sum) / decode).toFixed(0)} %, ` +
            `${(1e3 / decode).toFixed(0)} tok/s · in cache ${((mb * 768 * 768) / 123532032 / small).toFixed(1)} GB/s · five ${(5e3 / five).toFixed(0)} tok/s (×${((5 * decode) / five).toFixed(2)}) · ` +
            `prefill 64 ${(64e3 / prefill).toFixed(0)} tok/s · packing ${packing.toFixed(0)} ms`,
        );
      }
    }
    for (const [, kernels] of builds) kernels.prepare(6);
  }
  if (different) throw new Error('the builds disagree; see the checksums above');
}
