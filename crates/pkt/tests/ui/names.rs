pub fn packet() {
    let _ = wirewright_pkt::pkt!(tcp server:80 S);
    let _ = wirewright_pkt::pkt!("tcp server:80 S");
}
