#!/usr/bin/env bash
# A release of the tag TAG: notes from CHANGELOG.md, the package of the function app, its SHA-256 and its signature without a key.
set -euo pipefail

: "${TAG:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package="$work/aks-copilot-functions-${TAG#v}.zip"

git merge-base --is-ancestor "$TAG" "${MAIN:-origin/main}" || { echo "$TAG is not on main" >&2; exit 1; }
python tools/release_notes.py "$TAG" >"$work/notes.md"
bash ci/package.sh "$TAG" "$package"
(cd "$work" && sha256sum "$(basename "$package")" >"$package.sha256")
cosign sign-blob --yes --bundle "$package.sigstore.json" "$package"
gh release create "$TAG" --verify-tag --title "$TAG" --notes-file "$work/notes.md" "$package" "$package.sha256" "$package.sigstore.json"
