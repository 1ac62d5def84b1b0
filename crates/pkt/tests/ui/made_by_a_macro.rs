macro_rules! made {
    ($($token:tt)*) => { wirewright_pkt::pkt!(tcp $($token)* S) };
}
pub fn packet() {
    let _ = made!(192.0.2.2:80);
}
