"""Radio: path loss, noise, fading and rates as pure functions of arrays. It knows no event and no clock."""
