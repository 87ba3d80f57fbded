/** What `bark bench --help` prints. */
export const usage = `bark bench kernels|explain|generate|encode|results

bark bench kernels [OP…]    every version of every kernel at Bark's shapes: checked against its reference, then timed
  OP                        folders of kernels/: matmul, attention, decode_blocks, layernorm, embedding, sample,
                            conv1d, conv_transpose1d, lstm, elementwise, codebook (default: all)
  --shape PART              only shapes whose description holds PART, such as "256 rows"
  --dtype f32|f16|q8        weights (default: f32); q8: of matmul alone
  --with OWN[,OWN…]         your own kernels as further rungs, their indices tested first. FILE.mjs: its default export
                            is a kernel (defineKernel of bark-webgpu/engine) with the bindings and params of some version,
                            or an array of such; VERSION=FILE.wgsl: a shader under the declaration of that version
  --cpu                     times are of the processor, all cores together, where a software adapter computes: others on
                            the machine change them little
  --limit SECONDS           a run of a kernel that takes longer is ended, and the next goes on (default: 60)
                            Kernels of other engines are rungs of the same ladder: npm run bench:peers -- kernels (from a clone)
  --in-chromium             in headless Chromium (npm's) instead of this runtime, own kernels too (from a clone)

bark bench explain OP.VERSION
                            what drivers make of a kernel, such as matmul.gemv_shuffle: loads, arithmetic, branches, loops,
                            barriers and calls counted in Tint's SPIR-V (Node) and, on lavapipe, in Mesa's NIR and machine code
  --shape, --dtype, --with  as above: the first shape of the version, or of your own
  --text                    the texts themselves

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

bark bench results FILE.json… [-o OUT.md | --into RESULTS.md]
                            tables of what \`--json\` printed; --into puts them in the place of those with the same command

kernels, explain and generate:
  --device NAME             part of an adapter's name; "software" forces the software adapter
  --plot FILE.svg           also draw what was measured (not explain)
All but results:
  --json                    one line of JSON on standard output instead of tables
`;
