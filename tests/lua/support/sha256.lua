--- sha256 - of a string, in plain Lua: an independent check of the core's,
--- and checksums of frames made by hand.
local primes, n = {}, 2
while #primes < 64 do
  local is_prime = true
  for _, p in ipairs(primes) do
    is_prime = is_prime and n % p ~= 0
  end
  if is_prime then
    primes[#primes + 1] = n
  end
  n = n + 1
end

--- The first 32 bits of the fraction of the k-th root of x.
local function fraction(x, k)
  local root = x ^ (1 / k)
  return math.floor((root - math.floor(root)) * 2 ^ 32)
end

local first, constants = {}, {}
for i, p in ipairs(primes) do
  constants[i] = fraction(p, 3)
  if i <= 8 then
    first[i] = fraction(p, 2)
  end
end

local function rotate(x, by)
  return (x >> by | x << (32 - by)) & 0xffffffff
end

local function schedule(text, at)
  local w = { string.unpack((">I4"):rep(16), text, at) }
  for i = 17, 64 do
    local a, b = w[i - 15], w[i - 2]
    local s0 = rotate(a, 7) ~ rotate(a, 18) ~ a >> 3
    local s1 = rotate(b, 17) ~ rotate(b, 19) ~ b >> 10
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) & 0xffffffff
  end
  return w
end

local function round(s, w, k)
  local a, b, c, d, e, f, g, h = table.unpack(s)
  local s1 = rotate(e, 6) ~ rotate(e, 11) ~ rotate(e, 25)
  local s0 = rotate(a, 2) ~ rotate(a, 13) ~ rotate(a, 22)
  local t1 = h + s1 + (e & f ~ ~e & g) + k + w
  local t2 = s0 + (a & b ~ a & c ~ b & c)
  return { (t1 + t2) & 0xffffffff, a, b, c, (d + t1) & 0xffffffff, e, f, g }
end

local function sha256(text)
  local padded = text .. "\x80" .. ("\0"):rep(-(#text + 9) % 64)
    .. (">I8"):pack(#text * 8)
  local state = first
  for at = 1, #padded, 64 do
    local w, s = schedule(padded, at), state
    for i = 1, 64 do
      s = round(s, w[i], constants[i])
    end
    local sum = {}
    for i = 1, 8 do
      sum[i] = (state[i] + s[i]) & 0xffffffff
    end
    state = sum
  end
  return ((">I4"):rep(8):pack(table.unpack(state)))
end

return sha256
