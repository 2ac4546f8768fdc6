// Watch over 10,000 targets: until it is ready, from a save to the bytes on disk, and the heap over many
// saves.
import { median, quantile } from "../measure.mjs";
import { row } from "../table.mjs";
import { Watching } from "../watching.mjs";

const N = 10_000;
const [READY, HALF, MOST] = [1000, 25, 60];
/** The heap after all saves, beside the heap after a quarter of them. */
const FLAT = 1.05;

export async function* rows(bench) {
  const folder = bench.built("dospesos", N, "watch");
  const starts = [];
  for (let start = 0; start < bench.rounds(5, 2); start++) {
    const watching = await Watching.start(bench, folder);
    starts.push(watching.readyMs);
    await watching.stop();
  }
  const ready = median(starts.toSorted((a, b) => a - b));
  yield row("watch, 10,000 targets: ready", { ours: ready }, [{ bar: `≤ ${READY} ms`, met: ready <= READY }]);

  const watching = await Watching.start(bench, folder);
  try {
    const saves = bench.rounds(200);
    const times = (await manySaves(bench, watching, saves)).sort((a, b) => a - b);
    const [half, most] = [median(times), quantile(times, 0.95)];
    yield row(`${saves} saves: save → bytes on disk, p50`, { ours: half }, [
      { bar: `≤ ${HALF} ms`, met: half <= HALF },
    ]);
    yield row("the same, p95", { ours: most }, [{ bar: `≤ ${MOST} ms`, met: most <= MOST }]);
    if (bench.quick) {
      return;
    }
    await bursts(bench, watching, 30);
    const early = await watching.heap();
    await bursts(bench, watching, 150);
    const late = await watching.heap();
    yield row(
      "heap after 500 and after 2,000 saves",
      { text: `${early.toFixed(1)} → ${late.toFixed(1)} MB` },
      [{ bar: `≤ ${FLAT} ×`, met: late <= early * FLAT }],
    );
    await bursts(bench, watching, 150);
    const last = await watching.heap();
    yield row(
      "heap after 2,000 and after 3,500 saves",
      { text: `${late.toFixed(1)} → ${last.toFixed(1)} MB` },
      [{ bar: `≤ ${FLAT} ×`, met: last <= late * FLAT }],
    );
  } finally {
    await watching.stop();
  }
}

/** Ten files saved at a time. */
async function bursts(bench, watching, count) {
  for (let burst = 0; burst < count; burst++) {
    await watching.save(
      Array.from({ length: 10 }, (_, i) => (burst * 10 + i) % N),
      ++bench.edit,
    );
  }
}

async function manySaves(bench, watching, count) {
  const times = [];
  for (let save = 0; save < count; save++) {
    times.push(await watching.save([(save * 7919) % N], ++bench.edit));
  }
  return times;
}
