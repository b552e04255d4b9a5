"""zlib at work: a log goes into a stream piece by piece, comes back, and a damaged copy of it is refused."""

from zlib_hotcell import BEST_COMPRESSION, FINISH, NO_FLUSH, STREAM_END, Zlib, ZlibError, ZStream, open

# Bytes that are passed with one call, and room for what comes out of it.
PIECE = 16 << 10


def main() -> None:
    with open() as zlib:
        data = log()
        print(f"a log of {len(data)} bytes, checksum {zlib.crc32(0, data):08x}")

        packed = bytearray(deflate(zlib, data))
        print(f"smaller than a third: {str(len(packed) * 3 < len(data)).lower()}")

        restored = zlib.uncompress(len(data), packed)
        print(f"restored: {str(restored == data).lower()}")

        # What zlib refuses is an exception, and so would be a crash of zlib.
        packed[100] ^= 0xFF
        try:
            zlib.uncompress(len(data), packed)
            print("taken for intact")
        except ZlibError as error:
            print(f"damaged: {error}")


def deflate(zlib: Zlib, data: bytes) -> bytes:
    """Compresses data in pieces, as if it came from a socket."""
    packed = bytearray()
    with ZStream(zlib) as stream:
        stream.deflate_init_(BEST_COMPRESSION)
        for start in range(0, len(data), PIECE):
            flush = NO_FLUSH if start + PIECE < len(data) else FINISH
            stream.next_in = data[start : start + PIECE]
            while True:
                stream.avail_out = PIECE
                status = stream.deflate(flush)
                packed += stream.next_out or b""
                # Room that is left says that zlib has nothing more to give for now.
                if status == STREAM_END or (flush == NO_FLUSH and stream.avail_out > 0):
                    break
        stream.deflate_end()
    return bytes(packed)


def log() -> bytes:
    """Lines as a service writes them."""
    lines = (
        f"{request:05} GET /catalogue/items/{request % 97} 200 {request * 7 % 31} ms\n" for request in range(5_000)
    )
    return "".join(lines).encode()


if __name__ == "__main__":
    main()
