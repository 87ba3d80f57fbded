import { LogitsSession } from "../../gpt/logits_session.ts";
import { allowOnly, prioritiseEos } from "../logits/bark.ts";
import { dummyIds, semanticRanges } from "../semantic_plan.ts";
import { drawStages, type SemanticRequest } from "../stage_run.ts";
import { sequencesPerRow } from "./needs_host.ts";
import { runSearch } from "./run_search.ts";

/** Semantic tokens by a search on the host. @returns [batch * num_return_sequences][n] */
export async function searchSemantic({ model, inputs, config, options, run }: SemanticRequest): Promise<number[][]> {
  const ids = inputs.map(() => dummyIds(config));
  const session = new LogitsSession(model, inputs.length * sequencesPerRow(options));
  const { eos_token_id: eos } = config;
  try {
    return await runSearch({
      model,
      session,
      inputs,
      ids,
      idsAreInput: false,
      options,
      own: [
        allowOnly(semanticRanges(config, model.config.output_vocab_size)),
        ...(options.min_eos_p === null ? [] : [prioritiseEos(eos, options.min_eos_p)]),
      ],
      maxNewTokens: options.max_new_tokens,
      draw: { seed: run.seed, stage: drawStages.semantic, rows: run.drawRows(inputs.length), step: 0 },
      signal: run.signal,
      onStep: (count) => {
        run.report(count, options.max_new_tokens);
      },
    });
  } finally {
    session.dispose();
  }
}
