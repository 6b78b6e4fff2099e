#!/bin/sh
# Installs what the site runs on, each file checked against its hash in requirements.lock, into the virtual
# environment whose `python` comes first in PATH.
#
#     PATH="$PWD/.venv/bin:$PATH" sh deploy/install.sh cpu|cuda
#
# cpu: PyTorch's builds without CUDA, in the versions of requirements.txt; their index is not ours to hash. What they
# need themselves is in the lock.
set -eu

if python -c 'import sys; sys.exit(sys.prefix != sys.base_prefix)'; then
    echo 'Make a virtual environment first, and put its bin folder first in PATH.' >&2
    exit 2
fi
case "${1-}" in
    cuda)
        python -m pip install --require-hashes --no-deps --requirement requirements.lock
        ;;
    cpu)
        # shellcheck disable=SC2046
        python -m pip install --no-deps --index-url https://download.pytorch.org/whl/cpu \
            $(grep -E '^torch(vision)?==' requirements.txt)
        awk '/^[a-z]/ { keep = !/^(torch|torchvision|triton|nvidia-|cuda-)/ } keep' requirements.lock >without-torch.lock
        python -m pip install --require-hashes --no-deps --requirement without-torch.lock
        rm without-torch.lock
        ;;
    *)
        echo 'Say cpu or cuda.' >&2
        exit 2
        ;;
esac
