//! When a device's leave may end.

use warren_model::{Device, Invalid, Timestamp};

use crate::AppError;

/// An expiry lies ahead, and not further than ten years.
pub(super) fn check_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), AppError> {
    let Some(at) = expires_at else { return Ok(()) };
    if at <= now {
        return Err(AppError::field("expires_at", Invalid::Past));
    }
    let days = (at - now).whole_days();
    if days > Device::EXPIRY_DAYS_MAX {
        return Err(AppError::field(
            "expires_at",
            Invalid::OutOfRange { value: days, min: 0, max: Device::EXPIRY_DAYS_MAX },
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn an_expiry_lies_ahead_and_within_ten_years() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(check_expiry(None, now).is_ok());
        assert!(check_expiry(Some(now + Duration::days(3650)), now).is_ok());
        for bad in [now, now - Duration::seconds(1), now + Duration::days(3652)] {
            assert!(matches!(check_expiry(Some(bad), now), Err(AppError::Invalid(_))));
        }
    }
}
