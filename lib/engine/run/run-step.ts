import { type StepContext, type Prepared, prepare } from "./prepare.ts";
import { commitOutputs } from "./commit.ts";
import type { EffectPlan } from "../graph/declaration.ts";
import {
  Digest,
  outputsOf,
  primary,
  recordedOf,
  RecordStatus,
  StepKind,
  type DigestId,
  type NodeId,
  type StepId,
} from "../model.ts";
import { currentRecorder } from "./recorder.ts";
import { eachEdge, edgesOf } from "../state/edges.ts";

/**
 * Runs one step and puts what it made into place. The order is what makes a crash harmless: started → outputs
 * renamed → done; a start without an end is stale. Throws what the recipe threw, after the failure is on
 * record.
 */
export async function runStep(runner: StepContext, step: StepId, prepared?: Prepared): Promise<void> {
  const {
    graph,
    store,
    session: { state },
  } = runner;
  const name = primary(graph, step);
  const what = recordedOf(graph, step);
  // A rule changes nothing before its outputs are put into place (see place); an effect may change something
  // from here on.
  if (graph.kind[step] === StepKind.effect) {
    store.journal.started(
      name,
      what,
      new Map(Array.from(outputsOf(graph, step), (node) => [node, Digest.unknown])),
    );
  }
  const before = state.records.get(name);
  const made = new Map<NodeId, DigestId>();
  const ended = (status: RecordStatus, edges: ReadonlyMap<NodeId, DigestId>): void => {
    const record = { status, ...what, outputs: edgesOf(made), edges: edgesOf(edges) };
    state.setRecord(name, record);
    store.journal.ended(name, record);
    // What an effect did cannot be found out by doing it again.
    if (graph.kind[step] === StepKind.effect) {
      store.journal.flush();
    }
  };
  try {
    const { recorder: reads, values, context } = prepared ?? prepare(runner, step);
    const result = currentRecorder.run(reads, () => runner.declarations[step]!.recipe(values, context));
    commitOutputs(runner, step, result instanceof Promise ? await result : result, reads, made);
    ended(RecordStatus.done, reads.edges);
  } catch (error) {
    // What it made before stays known as ours, and so does what it made now before it failed.
    if (before !== undefined) {
      eachEdge(before.outputs, (node, digest) => {
        if (!made.has(node)) {
          made.set(node, digest);
        }
      });
    }
    ended(RecordStatus.failed, new Map());
    throw error;
  }
}

/**
 * What an effect would change; what the plan reads is a prerequisite as if apply had read it. Undefined:
 * nobody is to be asked.
 */
export async function planEffect(
  runner: StepContext,
  step: StepId,
): Promise<{ plan: EffectPlan | undefined; prepared: Prepared }> {
  const prepared = prepare(runner, step);
  const { plan } = runner.declarations[step]!;
  return {
    plan: await currentRecorder.run(prepared.recorder, async () => plan?.(prepared.values, prepared.context)),
    prepared,
  };
}
