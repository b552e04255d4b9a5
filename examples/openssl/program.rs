//! libcrypto at work: a digest, a key from a password, a text that is encrypted, damaged and restored, and a certificate.
//! `cargo dev examples openssl`
#![forbid(unsafe_code)]

use crypto_hotcell::{Cipher, CipherCtx, Crypto};

/// A certificate that signs itself.
const CERTIFICATE: &[u8] = include_bytes!("certificate.pem");

/// The number of a common name among libcrypto's names.
const COMMON_NAME: i32 = 13;

fn main() -> hotcell::Result<()> {
    let crypto = Crypto::open()?;
    let sha256 = crypto.sha256()?.expect("libcrypto has SHA-256");
    println!("SHA-256 of nothing: {}", hex(&sha256.digest(b"")?));

    let salt = b"a salt that is no secret";
    let key = sha256.pkcs5_pbkdf2_hmac(b"correct horse battery staple", salt, 1000, 32)?;
    println!("a key: {}", hex(&key));

    let aes = crypto.get_cipherbyname("aes-256-cbc")?.expect("libcrypto has AES");
    let context = crypto.cipher_ctx_new()?.expect("there is memory for a context");
    let first = [7; 16];
    let sealed = seal(&context, &aes, &key, &first, b"meet me at the corner at noon")?;
    println!("sealed: {} bytes", sealed.len());
    println!("opened: {}", String::from_utf8_lossy(&open(&context, &aes, &key, &first, &sealed)?));

    // A wrong key is an error value.
    match open(&context, &aes, &[0; 32], &first, &sealed) {
        Ok(_) => println!("opened by a wrong key"),
        Err(error) => println!("a wrong key: {error}"),
    }

    let certificate = crypto.bio_new_mem_buf(CERTIFICATE)?.pem_read_bio_x509()?;
    let subject = certificate.get_subject_name()?.expect("a certificate has a subject");
    println!("certificate of {}", String::from_utf8_lossy(&subject.oneline(200)?));
    let name = subject.get_text_by_nid(COMMON_NAME, 100)?;
    println!("its name: {}", String::from_utf8_lossy(&name.buf));
    for host in ["example.org", "www.example.net", "example.com"] {
        println!("for {host}: {}", certificate.check_host(host, 0)? == 1);
    }
    let until = certificate.get0_not_after()?.expect("a certificate ends").asn1_time_to_tm()?;
    let public = certificate.get0_pubkey()?.expect("a certificate has a key");
    println!("until {}, a key of {} bits", 1900 + until.tm_year, public.get_bits()?);
    println!("signed by itself: {}", certificate.verify(&public)? == 1);
    Ok(())
}

fn seal(
    context: &CipherCtx,
    cipher: &Cipher,
    key: &[u8],
    first: &[u8],
    text: &[u8],
) -> hotcell::Result<Vec<u8>> {
    context.encrypt_init_ex(cipher, Some(key), Some(first))?;
    let mut sealed = context.encrypt_update(text)?;
    sealed.extend(context.encrypt_final_ex()?);
    Ok(sealed)
}

fn open(
    context: &CipherCtx,
    cipher: &Cipher,
    key: &[u8],
    first: &[u8],
    sealed: &[u8],
) -> hotcell::Result<Vec<u8>> {
    context.decrypt_init_ex(cipher, Some(key), Some(first))?;
    let mut text = context.decrypt_update(sealed)?;
    text.extend(context.decrypt_final_ex()?);
    Ok(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
