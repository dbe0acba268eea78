"""The kit: what codecs are made of, for those who write one. All of it is public.

Begin with `stateless`: a codec that inherits `Stateless` gives `encode` and `decode`; and with `wire`, whose
`framed` and `unseal` put a frame around its bytes. A quantiser with a range for every group of values
inherits `GroupQuantiser` (`quantiser`) and gives figures and symbols only.

| module | for |
|---|---|
| `stateless` | codecs without memory and their ends, draws, the check of every tensor (`largest_magnitude`) |
| `wire` | the frame: kind, shape, settings, checksum; reading its content from front to back (`Sections`) |
| `quantiser`, `groups` | groups that share a header, scaling, figures as float16 or float32 |
| `sparse` | some values of each sample, and where they stand (`Sparse`) |
| `cast` | values as shorter floats (`Cast`) |
| `floats` | rows of float16 with a power of two each; the names of array types |
| `packing`, `entropy` | integers of n bits to bytes; with zstd or ANS |
| `memory` | what ends remember of samples, and of messages on their way |
| `nested` | a codec inside another one (`Wrapper`) |
| `maps` | any tensor as maps, and back |
| `dct`, `products` | the DCT of small maps; matrix products that are the same on any number of threads |
| `bodies` | any body: to a tensor (`decode`), what it carries (`support_of`); float16 and bfloat16 tensors |

Arrays are NumPy's: tensors and rows are float32; sizes are counted in bytes (`_bytes`) or bits (`_bits`).
Reading raises `BadBody` for bytes that no encoder writes, before anything of the size that they claim is
allocated; `BadTensor` is for tensors that cannot be encoded.
"""
