// WireGuard keys by the browser's own cryptography (WebCrypto X25519, RFC 7748). The private key never leaves this page.

// Whether this browser can make them.
export async function canMakeKeys() {
  if (!globalThis.crypto?.subtle) return false;
  try {
    await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
    return true;
  } catch {
    return false;
  }
}

// A fresh pair, both halves in Base64.
export async function makeKeyPair() {
  const pair = await crypto.subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  // PKCS #8 wraps the 32 bytes of the key, which stand at its end (RFC 8410 section 7).
  const wrapped = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const privateKey = clamp(wrapped.slice(-32));
  return { publicKey: base64(publicKey), privateKey: base64(privateKey) };
}

// RFC 7748 section 5; `wg genkey` writes its keys this way too.
function clamp(bytes) {
  bytes[0] &= 248;
  bytes[31] = (bytes[31] & 127) | 64;
  return bytes;
}

function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}
