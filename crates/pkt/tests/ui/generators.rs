pub fn packet() {
    let _ = wirewright_pkt::pkt!(tcp 192.0.2.2:1..4 S);
    let _ = wirewright_pkt::pkt!("tcp 192.0.2.0/24:80 S");
}
