#!/usr/bin/env bash
# `npm` of the documents, in a checkout that is installed already.
case "$*" in
  ci | test) exit 0 ;; # What runs this is a part of `npm test`.
  "start -- "*) shift 2 && exec npx bark-webgpu say "$@" ;;
  "run -s bark -- "*) shift 4 && exec npx bark-webgpu "$@" ;;
esac
echo "spec/docs cannot run: npm $*" >&2
exit 97
