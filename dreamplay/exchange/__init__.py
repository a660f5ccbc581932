"""Data from elsewhere and for elsewhere: folders of .npz files, videos with actions, Minari datasets."""
