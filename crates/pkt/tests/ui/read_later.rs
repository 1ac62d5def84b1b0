pub fn packet() {
    let _ = wirewright_pkt::pkt!(udp 192.0.2.2:9 file=payload.bin);
    let _ = wirewright_pkt::pkt!("udp 192.0.2.2:9 stdin");
}
