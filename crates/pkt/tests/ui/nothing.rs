pub fn packet() {
    let _ = wirewright_pkt::pkt!();
    let _ = wirewright_pkt::pkt!("");
}
