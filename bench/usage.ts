/** What `bark bench --help` prints. */
export const usage = `bark bench kernels|generate|encode|results

bark bench kernels [OP…]    every version of every kernel at Bark's shapes: checked against its reference, then timed
  OP                        folders of kernels/: matmul, attention, layernorm, embedding, sample, conv1d,
                            conv_transpose1d, lstm (default: all)
  --shape PART              only shapes whose description holds PART, such as "256 rows"
  --dtype f32|f16|q8        weights (default: f32); q8: of matmul alone
  --in-chromium             in headless Chromium (npm's) instead of this runtime

bark bench generate         speak, and time the stages: cold, then warm
  -m, --model MODEL         a directory, a URL, or "nano" (default)
  --synthetic tiny|small|large
                            true shapes, made-up weights, nothing on disk (large needs 5 GB of memory)
  -v, --voice VOICE         a preset's name or a FILE.npz
  --dtype f32|f16           default: as stored
  --max-semantic-tokens N   end the speech after N tokens (20 to 50 are enough on a software adapter)
  --batch N                 speak the text N times in one batch (default: 1)
  --readback K[,K…]         decode steps between two readbacks; of several, warm runs take turns: reports the decode
                            of each, the rest of the first (default: what the runtime and the adapter get)
  --runs N                  warm runs, of each K (default: 3, fewer if they take more than 2 minutes)

bark bench encode           what one decode step of bark-small costs the host, on Dawn's null backend (no GPU work)
  --resident                all blocks in one dispatch (decode_blocks=resident)

bark bench results FILE.json… [-o OUT.md]
                            tables of what \`--json\` printed

kernels and generate:
  --device NAME             part of an adapter's name; "software" forces the software adapter
  --plot FILE.svg           also draw what was measured
All but results:
  --json                    one line of JSON on standard output instead of tables
`;
