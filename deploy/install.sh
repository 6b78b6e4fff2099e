#!/bin/sh
# Installs what the site runs on, each file checked against its hash in requirements.lock.
#
#     sh install.sh cpu|cuda
#
# cpu: PyTorch's builds without CUDA, in the versions of requirements.txt; their index is not ours to hash.
set -eu

case "$1" in
    cuda)
        pip install --require-hashes --no-deps --requirement requirements.lock
        ;;
    cpu)
        # shellcheck disable=SC2046
        pip install --index-url https://download.pytorch.org/whl/cpu --extra-index-url https://pypi.org/simple \
            $(grep -E '^torch(vision)?==' requirements.txt)
        awk '/^[a-z]/ { keep = !/^(torch|torchvision|triton|nvidia-|cuda-)/ } keep' requirements.lock >without-torch.lock
        pip install --require-hashes --no-deps --requirement without-torch.lock
        ;;
    *)
        echo 'Say cpu or cuda.' >&2
        exit 2
        ;;
esac
