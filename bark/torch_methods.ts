import { EngineError } from "../engine/errors.ts";

const [device, training] = ["give device when it is loaded", "leave it out: models here only infer"];
const dtype = 'give dtype when it is loaded, such as dtype: "float16"';
const weights = "read them from the checkpoint, or from what save_pretrained writes";
const fixed = "the sizes of a model here are those of its config: change the checkpoint, or make one with from_config";

/** Methods of transformers' models that mean nothing here, and what to do instead. */
const refused: Readonly<Record<string, string>> = {
  ...{ to: `${device}, and dtype`, cuda: device, cpu: device, xpu: device, mps: device },
  ...{ half: dtype, float: dtype, double: dtype, bfloat16: dtype, type: dtype },
  ...{ eval: training, train: training, requires_grad_: training, zero_grad: training, tie_weights: training },
  ...{ gradient_checkpointing_enable: training, gradient_checkpointing_disable: training, compile: training },
  ...{ parameters: weights, named_parameters: weights, buffers: weights, named_buffers: weights, modules: weights },
  ...{ state_dict: weights, load_state_dict: weights, get_parameter: weights, named_modules: weights },
  ...{ get_input_embeddings: weights, set_input_embeddings: fixed, get_output_embeddings: weights },
  ...{ set_output_embeddings: fixed, resize_token_embeddings: fixed, resize_position_embeddings: fixed },
  ...{ prune_heads: fixed, init_weights: fixed, add_module: fixed, register_buffer: fixed },
  ...{ set_attn_implementation: "leave it out: the kernels of attention are chosen by the device" },
  ...{ to_bettertransformer: "leave it out: the kernels of attention are chosen by the device" },
};

/** Lets a class of models refuse them by name, where JavaScript would say that it is no function. */
export function refuseTorchMethods(Model: { readonly prototype: object }): void {
  for (const [name, fix] of Object.entries(refused))
    Object.defineProperty(Model.prototype, name, {
      configurable: true,
      value: () => {
        throw new EngineError("usage", "is a method of PyTorch's models that is not here", { where: name, fix });
      },
    });
}
