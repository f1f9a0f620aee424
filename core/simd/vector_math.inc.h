// Part of table.cpp. exp and erf as plain arithmetic, so that loops over them vectorise.

// exp(x) to 1 ulp or so for x <= 88; 0 below -87. Cody-Waite reduction to r in [-ln2/2, ln2/2], a
// degree-6 polynomial (Taylor, error < 3e-8), then 2^n by the exponent bits. NaN stays NaN.
static inline float fast_exp(float x) {
  const float clamped = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
  const float shifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  const float biased = clamped * 1.44269504088896341f + shifter;
  const float n = biased - shifter;
  float r = clamped - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  std::int32_t bits;
  std::memcpy(&bits, &biased, sizeof bits);
  bits = (bits + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return x < -87.0f ? 0.0f : p * power;
}
static inline double fast_exp(double x) { return std::exp(x); }

// erf(x), absolute error below 2e-7 (Abramowitz & Stegun 7.1.26). NaN stays NaN.
static inline float fast_erf(float x) {
  const float a = x < 0 ? -x : x;
  const float t = 1.0f / (1.0f + 0.3275911f * a);
  const float poly =
      t * (0.254829592f +
           t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  const float y = 1.0f - poly * fast_exp(-a * a);
  return x < 0 ? -y : y;
}
static inline double fast_erf(double x) { return std::erf(x); }
