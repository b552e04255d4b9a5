// libpng at work: a picture is written and read by both of its interfaces, with its notes, and damaged ones are met.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"hotcell"
	png "png-hotcell"
)

const (
	width  = 32
	height = 20
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	lib, err := png.Open(ctx, hotcell.Options{})
	if err != nil {
		return err
	}
	defer lib.Close()
	var pixels []byte
	for y := range byte(height) {
		for x := range byte(width) {
			pixels = append(pixels, x*8, y*12, 100)
		}
	}
	// All that can be told about a picture, and what is written comes piece by piece.
	file, err := write(ctx, lib, pixels)
	if err != nil {
		return err
	}
	fmt.Printf("a file of %d bytes\n", len(file))
	for _, part := range []func() error{
		func() error { return whole(ctx, lib, file, pixels) },
		func() error { return pieces(ctx, lib, file) },
		func() error { return simply(ctx, lib, file) },
		func() error { return damaged(ctx, lib, file) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// write is a picture with what is told about it.
func write(ctx context.Context, lib *png.Library, pixels []byte) ([]byte, error) {
	writing, err := lib.CreateWriteStruct2(ctx)
	if err != nil {
		return nil, err
	}
	defer writing.Close()
	info, err := writing.NewInfo(ctx)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	into := func(_ context.Context, _ *png.Struct, data []byte) error {
		_, err := file.Write(data)
		return err
	}
	flush := func(context.Context, *png.Struct) error { return nil }
	title := png.Text{Key: []byte("Title"), Text: []byte("Red and green"), Compression: -1}
	err = errors.Join(
		writing.SetWriteFn(ctx, into, flush),
		writing.SetIhdr(ctx, info, width, height, 8, png.ColorTypeRgb, 0, 0, 0),
		writing.SetGAma(ctx, info, 0.45455),
		writing.SetPHYs(ctx, info, 3000, 3000, 1),
		writing.SetText(ctx, info, []png.Text{title}),
		writing.SetPicture(ctx, info, pixels),
		writing.WritePng(ctx, info, 0),
	)
	return file.Bytes(), err
}

// reader is what reads a file, with what it knows of it.
func reader(ctx context.Context, lib *png.Library) (*png.Struct, *png.Info, error) {
	reading, err := lib.CreateReadStruct2(ctx)
	if err != nil {
		return nil, nil, err
	}
	info, err := reading.NewInfo(ctx)
	return reading, info, err
}

func whole(ctx context.Context, lib *png.Library, file, pixels []byte) error {
	reading, info, err := reader(ctx, lib)
	if err != nil {
		return err
	}
	defer reading.Close()
	if err := errors.Join(reading.SetSource(ctx, file), reading.ReadPng(ctx, info, 0)); err != nil {
		return err
	}
	width, failed := reading.GetImageWidth(ctx, info)
	height, err := reading.GetImageHeight(ctx, info)
	failed = errors.Join(failed, err)
	channels, err := reading.GetChannels(ctx, info)
	failed = errors.Join(failed, err)
	depth, err := reading.GetBitDepth(ctx, info)
	failed = errors.Join(failed, err)
	dots, err := reading.GetPixelsPerMeter(ctx, info)
	failed = errors.Join(failed, err)
	gamma, err := reading.GetGAma(ctx, info)
	failed = errors.Join(failed, err)
	picture, err := reading.GetPicture(ctx, info)
	if failed = errors.Join(failed, err); failed != nil {
		return failed
	}
	fmt.Printf("%d x %d, %d channels of %d bits\n", width, height, channels, depth)
	fmt.Printf("%d dots a meter, gamma %.3f\n", dots, gamma)
	fmt.Println("the pixels are what was written:", bytes.Equal(picture, pixels))
	return nil
}

// pieces reads a picture that comes in pieces: it says what it is as soon as it is known.
func pieces(ctx context.Context, lib *png.Library, file []byte) error {
	coming, info, err := reader(ctx, lib)
	if err != nil {
		return err
	}
	defer coming.Close()
	known := false
	told := func(context.Context, *png.Struct, *png.Info) error {
		known = true
		return nil
	}
	if err := coming.SetProgressiveReadFn(ctx, told, nil); err != nil {
		return err
	}
	for number, piece := range slices.Collect(slices.Chunk(file, 40)) {
		if err := coming.ProcessData(ctx, info, piece); err != nil {
			return err
		}
		if known {
			width, err := coming.GetImageWidth(ctx, info)
			fmt.Printf("piece %d: it is %d wide\n", number, width)
			return err
		}
	}
	return nil
}

// simply is the simplified interface.
func simply(ctx context.Context, lib *png.Library, file []byte) error {
	image := png.Image{Version: png.ImageVersion}
	if err := lib.ImageLook(ctx, &image, file); err != nil {
		return err
	}
	fmt.Printf("simply: %d x %d\n", image.Width, image.Height)
	image.Format = png.FormatGray
	gray, err := lib.ImageRead(ctx, &image, file, nil, 0)
	if err != nil {
		return err
	}
	fmt.Printf("%d gray pixels, the last of them %d\n", len(gray), gray[len(gray)-1])
	small := png.Image{Version: png.ImageVersion, Width: 2, Height: 1, Format: png.FormatRgb}
	again, err := lib.ImageWriteToMemory(ctx, &small, 1000, 0, []byte{255, 0, 0, 0, 0, 255}, 0)
	if err != nil {
		return err
	}
	fmt.Printf("a small file of %d bytes\n", len(again))
	return nil
}

// damaged files: libpng leaves the call by a jump, and the next one works.
func damaged(ctx context.Context, lib *png.Library, file []byte) error {
	broken := bytes.Clone(file)
	broken[20] ^= 0x40
	for _, it := range []struct {
		what string
		data []byte
	}{
		{"a damaged file", broken},
		{"half a file", file[:len(file)/2]},
		{"no picture", []byte("no picture at all")},
	} {
		reading, info, err := reader(ctx, lib)
		if err != nil {
			return err
		}
		if err := reading.SetSource(ctx, it.data); err != nil {
			return err
		}
		switch err := reading.ReadPng(ctx, info, 0); {
		case err == nil:
			fmt.Println(it.what + ": read")
		default:
			fmt.Printf("%s: %v\n", it.what, err)
		}
		if err := reading.Close(); err != nil {
			return err
		}
	}
	image := png.Image{Version: png.ImageVersion}
	if err := lib.ImageLook(ctx, &image, []byte("no picture either")); err == nil {
		fmt.Println("a picture")
	} else {
		fmt.Println("simply:", string(image.Message))
	}
	return nil
}
