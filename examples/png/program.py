"""libpng at work: a picture is written and read by both of its interfaces, with its notes, and damaged ones are met."""

from png_hotcell import (
    COLOR_TYPE_RGB,
    FORMAT_GRAY,
    FORMAT_RGB,
    IMAGE_VERSION,
    Image,
    Info,
    Png,
    PngError,
    Struct,
    Text,
    open,
)

WIDTH, HEIGHT = 32, 20


def main() -> None:
    with open() as png:
        pixels = bytes(value for y in range(HEIGHT) for x in range(WIDTH) for value in (x * 8, y * 12, 100))

        # All that can be told about a picture, and what is written comes piece by piece.
        file = write(png, pixels)
        print(f"a file of {len(file)} bytes")
        whole(png, file, pixels)
        pieces(png, file)
        simply(png, file)
        damaged(png, file)


def write(png: Png, pixels: bytes) -> bytes:
    """A picture with what is told about it."""
    file = bytearray()
    with png.create_write_struct_2() as writing:
        info = writing.new_info()
        writing.set_write_fn(lambda _, data: file.extend(data), lambda _: None)
        writing.set_ihdr(info, WIDTH, HEIGHT, 8, COLOR_TYPE_RGB, 0, 0, 0)
        writing.set_g_ama(info, 0.45455)
        writing.set_p_h_ys(info, 3000, 3000, 1)
        writing.set_text(info, [Text(key=b"Title", text=b"Red and green", compression=-1)])
        writing.set_picture(info, pixels)
        writing.write_png(info, 0)
    return bytes(file)


def whole(png: Png, file: bytes, pixels: bytes) -> None:
    reading, info = reader(png)
    reading.set_source(file)
    reading.read_png(info, 0)
    width, height = reading.get_image_width(info), reading.get_image_height(info)
    print(f"{width} x {height}, {reading.get_channels(info)} channels of {reading.get_bit_depth(info)} bits")
    print(f"{reading.get_pixels_per_meter(info)} dots a meter, gamma {reading.get_g_ama(info):.3f}")
    print(f"the pixels are what was written: {str(reading.get_picture(info) == pixels).lower()}")


def pieces(png: Png, file: bytes) -> None:
    """A picture that comes in pieces says what it is as soon as it is known."""
    coming, info = reader(png)
    known: list[Info] = []
    coming.set_progressive_read_fn(lambda _, info: known.append(info), None)
    for number, start in enumerate(range(0, len(file), 40)):
        coming.process_data(info, file[start : start + 40])
        if known:
            print(f"piece {number}: it is {coming.get_image_width(info)} wide")
            break


def simply(png: Png, file: bytes) -> None:
    """The simplified interface."""
    image = Image(version=IMAGE_VERSION)
    png.image_look(image, file)
    print(f"simply: {image.width} x {image.height}")
    image.format = FORMAT_GRAY
    gray = png.image_read(image, file, None, 0)
    print(f"{len(gray)} gray pixels, the last of them {gray[-1]}")
    small = Image(version=IMAGE_VERSION, width=2, height=1, format=FORMAT_RGB)
    again = png.image_write_to_memory(small, 1000, 0, bytes([255, 0, 0, 0, 0, 255]), 0)
    print(f"a small file of {len(again)} bytes")


def damaged(png: Png, file: bytes) -> None:
    """Damaged files: libpng leaves the call by a jump, and the next one works."""
    broken = bytearray(file)
    broken[20] ^= 0x40
    for what, data in [
        ("a damaged file", bytes(broken)),
        ("half a file", file[: len(file) // 2]),
        ("no picture", b"no picture at all"),
    ]:
        reading, info = reader(png)
        reading.set_source(data)
        try:
            reading.read_png(info, 0)
            print(f"{what}: read")
        except PngError as error:
            print(f"{what}: {error}")
    image = Image(version=IMAGE_VERSION)
    try:
        png.image_look(image, b"no picture either")
        print("a picture")
    except PngError:
        print(f"simply: {image.message.decode()}")


def reader(png: Png) -> tuple[Struct, Info]:
    """What reads a file, with what it knows of it."""
    reading = png.create_read_struct_2()
    return reading, reading.new_info()


if __name__ == "__main__":
    main()
