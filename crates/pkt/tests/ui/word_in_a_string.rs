pub fn packet() {
    let _ = wirewright_pkt::pkt!("tcp 192.0.2.2:80 S tll=33");
}
