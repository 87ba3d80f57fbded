#!/usr/bin/env bash
# `npx` of the documents: the checkout's command, and the tools that npm installed there. `say` and `book` speak a few tokens alone.
limit() {
  if [[ $1 =~ ^(say|book)$ && " $* " != *" --max-semantic-tokens "* ]]; then
    set -- "$1" --max-semantic-tokens "$DOCS_TOKENS" "${@:2}"
  fi
  arguments=("$@")
}
case "$1" in
  bark-webgpu)
    limit "${@:2}"
    exec "$DOCS_NODE" --import "$DOCS_TSX" "$DOCS_ROOT/cli/main.ts" "${arguments[@]}"
    ;;
  tsx) exec "$DOCS_NODE" --import "$DOCS_TSX" "${@:2}" ;;
  deno)
    [[ "$2 $3 $4 $5" == "run -A --no-lock cli/main.ts" ]] || exit 97
    limit "${@:6}"
    export LD_LIBRARY_PATH=$DOCS_SWIFTSHADER VK_DRIVER_FILES=$DOCS_SWIFTSHADER/vk_swiftshader_icd.json
    export DENO_DIR=$DOCS_ROOT/.cache/bark-webgpu/deno DENO_NO_UPDATE_CHECK=1
    exec "$DOCS_NODE" "$DOCS_ROOT/node_modules/deno/bin.cjs" run -A --no-lock "$DOCS_ROOT/cli/main.ts" "${arguments[@]}"
    ;;
esac
echo "spec/docs cannot run: npx $*" >&2
exit 97
